// A font of 5 x 7 pixels for the printable characters of ASCII.
#pragma once

#include <cstdint>

namespace tinynet {

constexpr int kLetterWidth = 5, kLetterHeight = 7;  // pixels
constexpr char kFirstLetter = ' ', kLastLetter = '~';

// Returns whether the letter has the pixel at column x and row y. The letter is from kFirstLetter to kLastLetter.
bool letter_pixel(char letter, int x, int y);

}  // namespace tinynet
