// Classify images with an exported TinyNet: parse, open, run, report.
//
// Exit status: 0 done, also when some images could not be read (they are named and counted); 2 a mistake of the user,
// in one line; 130 interrupted.
#include <malloc.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <iostream>

#include "backend.h"
#include "description.h"
#include "errors.h"
#include "files.h"
#include "options.h"
#include "pipeline.h"
#include "report.h"
#include "timing.h"

namespace tinynet {
namespace {

std::atomic<bool> interrupted{false};

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void check_agreement(const Options& options, const Description& description, const Backend& backend) {
  const auto check = [&](int model, int described, const char* what) {
    if (model != described) {
      throw UserError(options.model.string() + " has " + std::to_string(model) + " " + what + ", " +
                      options.description.string() + " says " + std::to_string(described) +
                      "; take the JSON that was written with the model");
    }
  };
  check(backend.input().size, description.size, "pixels a side");
  check(backend.num_classes(), description.num_classes, "classes");
}

void warm_up(Backend& backend, int batches) {
  const InputSpec input = backend.input();
  std::vector<std::byte> images(input.bytes_per_image() * input.batch);
  std::vector<float> logits(std::size_t{1} * input.batch * backend.num_classes());
  for (int i = 0; i < batches; ++i) backend.run(images.data(), input.batch, logits.data());
}

// A line on the terminal, twice a second: how far, how fast, how long yet.
class Progress {
 public:
  explicit Progress(std::size_t total) : total_(total), shown_(isatty(STDERR_FILENO)) {}

  void update(std::size_t done, double seconds) {
    if (!shown_ || seconds < last_ + 0.5) return;
    last_ = seconds;
    const double rate = static_cast<double>(done) / seconds;
    std::fprintf(stderr, "\r%zu of %zu images, %.0f a second, %.0f s left \033[K", done, total_, rate,
                 static_cast<double>(total_ - done) / rate);
  }

  void clear() const {
    if (last_ > 0) std::fprintf(stderr, "\r\033[K");
  }

 private:
  std::size_t total_;
  bool shown_;
  double last_ = 0;
};

int classify(const Options& options, Clock::time_point start) {
  const Description description = read_description(options.description);
  const std::vector<ImageFile> images = list_images(options.images);
  const std::unique_ptr<Report> report = open_report(options, images, class_names(description, options.labels));
  const std::unique_ptr<NewFile> timing_file =
      options.timing.empty() ? nullptr : std::make_unique<NewFile>(options.timing);
  const std::unique_ptr<Backend> backend = open_backend(options);
  check_agreement(options, description, *backend);
  warm_up(*backend, options.warmup);

  Timing timing;
  timing.backend = backend->name();
  timing.threads = options.threads;
  timing.batch = backend->input().batch;
  timing.load_seconds = since(start);
  const Clock::time_point begin = Clock::now();
  const double processor_begin = process_seconds();
  Progress progress(images.size());
  Pipeline pipeline(images, description, *backend, options.threads);
  while (const auto results = pipeline.next()) {
    if (interrupted) {
      std::fputs("interrupted\n", stderr);
      return 130;
    }
    for (const Result& result : *results) {
      const ImageFile& image = images[result.index];
      report->add(image, result);
      if (!result.error.empty()) {
        ++timing.failed;
        progress.clear();
        std::fprintf(stderr, "%s: %s\n", image.path.c_str(), result.error.c_str());
      }
    }
    timing.images += results->size();
    if (timing.first_result_seconds == 0) timing.first_result_seconds = since(start);
    progress.update(timing.images, since(begin));
  }
  timing.seconds = since(begin);
  timing.processor_seconds = process_seconds() - processor_begin;
  timing.stages = pipeline.stages();
  report->close();
  progress.clear();
  if (timing_file) {
    timing_file->write(timing.json());
    timing_file->close();
  }
  std::fputs(timing.table().c_str(), stderr);
  return 0;
}

}  // namespace
}  // namespace tinynet

int main(int argc, char** argv) {
  const auto start = tinynet::Clock::now();
  // Threads allocate little, and in turn: a heap each would cost a tenth of the memory. Blocks as large as weights come
  // from the system and go back to it: the heap would keep what loading a model has left.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 1 << 16);
  mallopt(M_TRIM_THRESHOLD, 1 << 16);
  for (const int signal : {SIGINT, SIGTERM}) {
    std::signal(signal, [](int number) {
      tinynet::interrupted = true;
      std::signal(number, SIG_DFL);  // who is in a hurry signals twice
    });
  }
  std::signal(SIGPIPE, SIG_IGN);  // a reader of our output that has seen enough is told apart by errno
  try {
    const auto options = tinynet::parse_options(argc, argv);
    return options ? tinynet::classify(*options, start) : 0;
  } catch (const tinynet::ReaderGone&) {
    return 0;
  } catch (const tinynet::UserError& error) {
    std::cerr << "error: " << error.what() << "\n";
  } catch (const std::exception& error) {
    std::cerr << "error: unexpected: " << error.what() << "\n";
  }
  return 2;
}
