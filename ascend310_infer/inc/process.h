// Settings of the whole process. main() applies them before it starts any thread.
#pragma once

namespace tinynet {

// Tunes malloc for little memory.
void tune_heap();

// After the first SIGINT or SIGTERM, interrupted() returns true; the second one ends the program.
// Ignores SIGPIPE, so that writing to a closed pipe fails with EPIPE instead.
void handle_signals();

// Thread safe.
bool interrupted();

}  // namespace tinynet
