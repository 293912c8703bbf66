#include "pipeline.h"

#include <algorithm>
#include <utility>

#include "errors.h"
#include "image.h"

namespace tinynet {

// Consecutive images. A broken one keeps its place, which is computed in vain: it is rare.
struct Pipeline::Batch {
  std::size_t number = 0, first = 0;
  int count = 0, given_out = 0, prepared = 0;
  std::vector<std::byte> input;
  std::vector<float> logits;
  std::vector<std::string> errors;
  std::vector<Clock::time_point> starts;

  bool has_good_image() const {
    return std::any_of(errors.begin(), errors.end(), [](const std::string& error) { return error.empty(); });
  }
};

// An image of a batch to prepare, or a whole batch to compute.
struct Pipeline::Job {
  std::shared_ptr<Batch> batch;
  std::optional<int> slot;
};

Pipeline::Pipeline(const std::vector<ImageFile>& images, const Description& description, Backend& backend, int threads)
    : images_(images),
      description_(description),
      backend_(backend),
      input_(backend.input()),
      limit_(threads / input_.batch + 1 + 2 * backend.concurrency()) {
  for (int i = 0; i < threads + (backend.offloads() ? 1 : 0); ++i) threads_.emplace_back(&Pipeline::work, this);
}

Pipeline::~Pipeline() {
  stop();
  for (std::thread& thread : threads_) thread.join();
}

std::optional<std::vector<Result>> Pipeline::next() {
  std::unique_lock lock(mutex_);
  if (next_batch_ * input_.batch >= images_.size()) return std::nullopt;
  changed_.wait(lock, [&] { return error_ || done_.count(next_batch_); });
  if (error_) std::rethrow_exception(error_);
  const std::shared_ptr<Batch> batch = done_.extract(next_batch_++).mapped();
  std::vector<Result> results;
  const int classes = backend_.num_classes();
  for (int slot = 0; slot < batch->count; ++slot) {
    const auto logits = batch->logits.begin() + std::ptrdiff_t{1} * slot * classes;
    results.push_back({batch->first + slot, batch->errors[slot], {}});
    if (batch->errors[slot].empty()) results.back().logits.assign(logits, logits + classes);
  }
  spare_.push_back(batch);
  --under_way_;
  changed_.notify_all();
  return results;
}

void Pipeline::work() {
  try {
    Preprocessor preprocess(description_, input_);
    Image image;
    while (const std::optional<Job> job = take()) {
      if (job->slot) {
        prepare(*job->batch, *job->slot, preprocess, image);
      } else {
        compute(*job->batch);
      }
      const std::lock_guard lock(mutex_);
      if (!job->slot) {
        --running_;
        done_[job->batch->number] = job->batch;
      } else if (++job->batch->prepared == job->batch->count) {
        if (job->batch->has_good_image()) {
          full_.push_back(job->batch);
        } else {
          done_[job->batch->number] = job->batch;
        }
      }
      changed_.notify_all();
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::current_exception();
    changed_.notify_all();
  }
}

std::optional<Pipeline::Job> Pipeline::take() {
  std::unique_lock lock(mutex_);
  while (!stopping_ && !error_) {
    if (!full_.empty() && running_ < backend_.concurrency()) {
      ++running_;
      Job job{full_.front(), std::nullopt};
      full_.pop_front();
      return job;
    }
    if (!filling_ && next_image_ < images_.size() && under_way_ < limit_) filling_ = begin_batch();
    if (filling_) {
      Job job{filling_, filling_->given_out++};
      ++next_image_;
      if (filling_->given_out == filling_->count) filling_ = nullptr;
      return job;
    }
    if (next_batch_ * input_.batch >= images_.size()) break;
    changed_.wait(lock);
  }
  return std::nullopt;
}

std::shared_ptr<Pipeline::Batch> Pipeline::begin_batch() {
  std::shared_ptr<Batch> batch;
  if (spare_.empty()) {
    batch = std::make_shared<Batch>();
    batch->input.resize(input_.bytes_per_image() * input_.batch);
    batch->logits.resize(std::size_t{1} * input_.batch * backend_.num_classes());
  } else {
    batch = spare_.back();
    spare_.pop_back();
  }
  batch->first = next_image_;
  batch->number = next_image_ / input_.batch;
  batch->count = static_cast<int>(std::min<std::size_t>(input_.batch, images_.size() - next_image_));
  batch->given_out = batch->prepared = 0;
  batch->errors.assign(batch->count, {});
  batch->starts.resize(batch->count);
  ++under_way_;
  return batch;
}

void Pipeline::prepare(Batch& batch, int slot, Preprocessor& preprocess, Image& image) {
  Stages measured;
  batch.starts[slot] = Clock::now();
  try {
    {
      const Stopwatch watch(measured.decode);
      decode(read_file(images_[batch.first + slot].path), image);
    }
    const Stopwatch watch(measured.preprocess);
    preprocess(image, batch.input.data() + input_.bytes_per_image() * slot);
  } catch (const ImageError& error) {
    batch.errors[slot] = error.what();
  } catch (const std::bad_alloc&) {
    batch.errors[slot] = "too large for the memory that is left";
  }
  const std::lock_guard lock(mutex_);
  stages_.merge(measured);
}

void Pipeline::compute(Batch& batch) {
  Stages measured;
  {
    const Stopwatch watch(measured.infer);
    backend_.run(batch.input.data(), batch.count, batch.logits.data());
  }
  const Clock::time_point now = Clock::now();
  for (int slot = 0; slot < batch.count; ++slot) {
    if (batch.errors[slot].empty()) {
      measured.latency.add(std::chrono::duration<double>(now - batch.starts[slot]).count(), 0);
    }
  }
  const std::lock_guard lock(mutex_);
  stages_.merge(measured);
}

void Pipeline::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

}  // namespace tinynet
