// Classifies images, or finds objects in them, with an exported network.
//
// Exit status: 0 done, even if some images could not be read (they are listed and counted); 2 none could be read, or
// the user made another mistake, reported in one line; 130 interrupted.
#include <cstdio>
#include <iostream>

#include "backend.h"
#include "description.h"
#include "detection_report.h"
#include "errors.h"
#include "files.h"
#include "options.h"
#include "pipeline.h"
#include "process.h"
#include "progress.h"
#include "report.h"
#include "terminal.h"
#include "timing.h"

namespace tinynet {
namespace {

constexpr int kFailed = 2, kInterrupted = 130;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void check_agreement(const Options& options, const Description& description, const Backend& backend) {
  const auto check = [&](int model, int described, const char* what) {
    if (model != described) {
      throw UserError(options.model.string() + " has " + std::to_string(model) + " " + what + ", but " +
                      options.description.string() + " says " + std::to_string(described) +
                      "; use the JSON file that was written with the model");
    }
  };
  check(backend.input().size, description.size, "pixels a side");
  const std::vector<Output> outputs = backend.outputs();
  if (description.task == Task::kDetection) {
    check(outputs[1].shape[0], description.anchors, "anchors");
    check(outputs[1].shape[1] - 1, description.num_classes, "classes");
  } else {
    check(outputs[0].shape[0], description.num_classes, "classes");
  }
}

void warm_up(Backend& backend, int batches) {
  const InputSpec input = backend.input();
  std::vector<std::byte> images(input.bytes_per_image() * input.batch);
  std::vector<float> values(values_per_image(backend.outputs()) * input.batch);
  for (int i = 0; i < batches; ++i) backend.run(images.data(), input.batch, values.data());
}

std::unique_ptr<Report> report_of(const Options& options, const Description& description,
                                  const std::vector<ImageFile>& images) {
  std::vector<std::string> names = class_names(description, options.labels);
  if (description.task == Task::kDetection)
    return open_detection_report(options, description, images, std::move(names));
  return open_report(options, images, std::move(names));
}

int infer(const Options& options, Clock::time_point start) {
  check_model(options.model);
  const Description description = read_description(options.description);
  check_flags(options, description.task);
  const Listing listing = list_images(options.images);
  const std::vector<ImageFile>& images = listing.images;
  std::fputs(left_out(listing).c_str(), stderr);
  const std::unique_ptr<Report> report = report_of(options, description, images);
  const std::unique_ptr<NewFile> timing_file =
      options.timing.empty() ? nullptr : std::make_unique<NewFile>(options.timing);
  const std::unique_ptr<Backend> backend = open_backend(options, description.task);
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
    if (interrupted()) {
      std::fputs("interrupted\n", stderr);
      return kInterrupted;
    }
    for (const Result& result : *results) {
      const ImageFile& image = images[result.index];
      report->add(image, result);
      if (!result.error.empty()) {
        ++timing.failed;
        progress.clear();
        std::fprintf(stderr, "%s\n", printable(image.path.string() + ": " + result.error).c_str());
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
  if (timing.failed == timing.images) throw UserError("no image could be read; the lines above name them");
  return 0;
}

}  // namespace
}  // namespace tinynet

int main(int argc, char** argv) {
  const auto start = tinynet::Clock::now();
  tinynet::connect_closed_streams();
  tinynet::tune_heap();
  tinynet::handle_signals();
  try {
    const auto options = tinynet::parse_options(argc, argv);
    return options ? tinynet::infer(*options, start) : 0;
  } catch (const tinynet::ReaderGone&) {
    return 0;
  } catch (const tinynet::UserError& error) {
    std::cerr << "error: " << tinynet::printable(error.what()) << "\n";
  } catch (const std::exception& error) {
    std::cerr << "error: unexpected: " << tinynet::printable(error.what()) << "\n";
  }
  return tinynet::kFailed;
}
