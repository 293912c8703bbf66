// Names for a terminal, and a standard output that cannot be written.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers.h"
#include "terminal.h"

namespace tinynet {
namespace {

TEST(Terminal, ControlCharactersAreEscapedAsInPython) {  // tests/unit/runtime/test_texts.py has the same
  EXPECT_EQ(printable("a\nb\x1b[31m b\xe9 \xe9\xb1\xbc"), "a\\nb\\x1b[31m b\\udce9 \xe9\xb1\xbc");
  EXPECT_EQ(printable("\r\t\x7f\xc2\x9b\xe2\x80\xa8"), "\\r\\t\\x7f\\x9b\\u2028");
  EXPECT_EQ(printable(std::string("a\0b", 3)), "a\\x00b");
}

TEST(Terminal, OtherTextsStayAsTheyAre) {
  for (const char* text :
       {"", "V\xc3\xb6gel \xe9\xb1\xbc.jpg", "\xc2\xa0", "\xf0\x9f\x90\x9f", "\xef\xbf\xbf", "~a\\n"})
    EXPECT_EQ(printable(text), text);
}

TEST(Terminal, BytesThatAreNotUtf8AreEscapedOneByOne) {
  EXPECT_EQ(printable("\xe9\xb1"), "\\udce9\\udcb1");                                     // cut off
  EXPECT_EQ(printable("\xc0\xaf \xe0\x80\xaf"), "\\udcc0\\udcaf \\udce0\\udc80\\udcaf");  // longer than necessary
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\udced\\udca0\\udc80");                          // a surrogate
  EXPECT_EQ(printable("\xf5\x80\x80\x80"), "\\udcf5\\udc80\\udc80\\udc80");               // above the last character
  EXPECT_EQ(printable("\x80z\xff"), "\\udc80z\\udcff");
}

// Returns the exit status of a process that does `work`.
template <typename Work>
int status_of(const Work& work) {
  const pid_t child = fork();
  if (child == 0) _exit(work());
  int status = 0;
  waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

TEST(Terminal, AFullOrClosedOutputIsNamed) {
  const auto prints = [](int descriptor) {
    dup2(descriptor, STDOUT_FILENO);
    return error_of<UserError>([] { print("x\n"); });
  };
  EXPECT_EQ(status_of([&] {
              return prints(open("/dev/full", O_WRONLY)) != "cannot write to standard output: No space left on device";
            }),
            0);
  EXPECT_EQ(status_of([&] {
              close(STDOUT_FILENO);
              connect_closed_streams();
              return error_of<UserError>([] { print("x\n"); }) !=
                     "cannot write to standard output: Bad file descriptor";
            }),
            0);
}

TEST(Terminal, AnOpenedFileDoesNotTakeTheNumberOfAClosedStream) {
  EXPECT_EQ(status_of([] {
              close(STDIN_FILENO), close(STDOUT_FILENO), close(STDERR_FILENO);
              connect_closed_streams();
              return open("/dev/null", O_RDONLY) <= STDERR_FILENO;
            }),
            0);
}

}  // namespace
}  // namespace tinynet
