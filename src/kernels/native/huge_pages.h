// Pages of 2 MB for large tensors: with pages of 4 KB, reading memory is a third slower.
#pragma once
#include <cstdint>

// Asks the system, once for each tensor, for huge pages where a tensor has whole ones. Refusals change nothing.
void use_huge_pages(const void* data, int64_t bytes);
