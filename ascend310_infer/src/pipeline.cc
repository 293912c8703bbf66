#include "pipeline.h"

#include <algorithm>
#include <deque>
#include <exception>
#include <map>
#include <thread>
#include <utility>

#include "errors.h"
#include "image.h"
#include "mutex.h"
#include "preprocess.h"

namespace tinynet {
namespace {

// Consecutive images. A broken image keeps its slot, which is then computed without use; broken images are rare.
struct Batch {
  std::size_t number = 0;  // position among all batches
  std::size_t first = 0;   // index of its first image
  int count = 0;           // images in it
  int handed_out = 0;      // images that a thread has taken
  int prepared = 0;        // images that are ready
  std::vector<std::byte> input;
  std::vector<float> values;
  std::vector<std::string> errors;
  std::vector<std::pair<int, int>> sizes;  // width and height as stored
  std::vector<Clock::time_point> starts;

  bool has_good_image() const {
    return std::any_of(errors.begin(), errors.end(), [](const std::string& error) { return error.empty(); });
  }
};

// One image of a batch to prepare, or (without a slot) the whole batch to compute.
struct Job {
  std::shared_ptr<Batch> batch;
  std::optional<int> slot;
};

}  // namespace

// State and threads. A batch moves from filling_ to full_ to done_, and returns to spare_ after next().
// Outside of the lock, a batch belongs to the threads that work on it, each on its own slot.
class Pipeline::Rep {
 public:
  Rep(const std::vector<ImageFile>& images, const Description& description, Backend& backend, int threads);
  ~Rep();
  std::optional<std::vector<Result>> next() EXCLUDES(mutex_);
  Stages stages() const EXCLUDES(mutex_);

 private:
  void work();                                            // the function of each thread
  std::optional<Job> take() EXCLUDES(mutex_);             // waits for a job; nothing if there will be no more
  std::optional<Job> next_job() REQUIRES(mutex_);         // nothing if there is no job now
  std::shared_ptr<Batch> begin_batch() REQUIRES(mutex_);  // with the next images
  void finish(const Job& job) EXCLUDES(mutex_);
  void prepare(Batch& batch, int slot, Preprocessor& preprocess, Image& image) EXCLUDES(mutex_);
  void compute(Batch& batch) EXCLUDES(mutex_);
  void merge(const Stages& measured) EXCLUDES(mutex_);
  bool all_handed_over() const REQUIRES(mutex_) { return next_batch_ * input_.batch >= images_.size(); }

  const std::vector<ImageFile>& images_;
  const Description& description_;
  Backend& backend_;
  const InputSpec input_;
  const std::size_t values_per_image_;
  const int limit_;  // maximum number of batches in progress, which bounds the memory

  mutable Mutex mutex_;
  Condition changed_;                                                      // any member below has changed
  std::size_t next_image_ GUARDED_BY(mutex_) = 0;                          // index of the next image to hand out
  std::size_t next_batch_ GUARDED_BY(mutex_) = 0;                          // number of the batch that next() returns
  int running_ GUARDED_BY(mutex_) = 0;                                     // calls inside the backend
  int in_progress_ GUARDED_BY(mutex_) = 0;                                 // batches begun and not yet returned
  bool stopping_ GUARDED_BY(mutex_) = false;                               // the object is being destroyed
  std::exception_ptr error_ GUARDED_BY(mutex_);                            // the first failure of a thread
  std::shared_ptr<Batch> filling_ GUARDED_BY(mutex_);                      // some of its images are not handed out
  std::deque<std::shared_ptr<Batch>> full_ GUARDED_BY(mutex_);             // ready to compute
  std::map<std::size_t, std::shared_ptr<Batch>> done_ GUARDED_BY(mutex_);  // computed, by number
  std::vector<std::shared_ptr<Batch>> spare_ GUARDED_BY(mutex_);           // whose memory is reused
  Stages stages_ GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;  // last, so that they start after all other members exist
};

Pipeline::Rep::Rep(const std::vector<ImageFile>& images, const Description& description, Backend& backend, int threads)
    : images_(images),
      description_(description),
      backend_(backend),
      input_(backend.input()),
      values_per_image_(values_per_image(backend.outputs())),
      limit_(threads / input_.batch + 1 + 2 * backend.concurrency()) {
  for (int i = 0; i < threads + (backend.offloads() ? 1 : 0); ++i) threads_.emplace_back(&Rep::work, this);
}

Pipeline::Rep::~Rep() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

std::optional<std::vector<Result>> Pipeline::Rep::next() {
  const MutexLock lock(mutex_);
  if (all_handed_over()) return std::nullopt;
  while (!error_ && !done_.count(next_batch_)) changed_.wait(mutex_);
  if (error_) std::rethrow_exception(error_);
  const std::shared_ptr<Batch> batch = done_.extract(next_batch_++).mapped();
  std::vector<Result> results;
  for (int slot = 0; slot < batch->count; ++slot) {
    const auto [width, height] = batch->sizes[slot];
    results.push_back({batch->first + slot, batch->errors[slot], {}, width, height});
    const float* values = batch->values.data() + values_per_image_ * slot;
    if (batch->errors[slot].empty()) results.back().values.assign(values, values + values_per_image_);
  }
  spare_.push_back(batch);
  --in_progress_;
  changed_.notify_all();
  return results;
}

Stages Pipeline::Rep::stages() const {
  const MutexLock lock(mutex_);
  return stages_;
}

void Pipeline::Rep::work() {
  try {
    Preprocessor preprocess(description_, input_);
    Image image;
    while (const std::optional<Job> job = take()) {
      if (job->slot) {
        prepare(*job->batch, *job->slot, preprocess, image);
      } else {
        compute(*job->batch);
      }
      finish(*job);
    }
  } catch (...) {
    const MutexLock lock(mutex_);
    if (!error_) error_ = std::current_exception();
    changed_.notify_all();
  }
}

std::optional<Job> Pipeline::Rep::take() {
  const MutexLock lock(mutex_);
  while (!stopping_ && !error_) {
    if (std::optional<Job> job = next_job()) return job;
    if (all_handed_over()) break;
    changed_.wait(mutex_);
  }
  return std::nullopt;
}

std::optional<Job> Pipeline::Rep::next_job() {
  if (!full_.empty() && running_ < backend_.concurrency()) {
    ++running_;
    Job job{full_.front(), std::nullopt};
    full_.pop_front();
    return job;
  }
  if (!filling_ && next_image_ < images_.size() && in_progress_ < limit_) filling_ = begin_batch();
  if (!filling_) return std::nullopt;
  Job job{filling_, filling_->handed_out++};
  ++next_image_;
  if (filling_->handed_out == filling_->count) filling_ = nullptr;
  return job;
}

std::shared_ptr<Batch> Pipeline::Rep::begin_batch() {
  std::shared_ptr<Batch> batch;
  if (spare_.empty()) {
    batch = std::make_shared<Batch>();
    batch->input.resize(input_.bytes_per_image() * input_.batch);
    batch->values.resize(values_per_image_ * input_.batch);
  } else {
    batch = spare_.back();
    spare_.pop_back();
  }
  batch->first = next_image_;
  batch->number = next_image_ / input_.batch;
  batch->count = static_cast<int>(std::min<std::size_t>(input_.batch, images_.size() - next_image_));
  batch->handed_out = batch->prepared = 0;
  batch->errors.assign(batch->count, {});
  batch->sizes.assign(batch->count, {});
  batch->starts.resize(batch->count);
  ++in_progress_;
  return batch;
}

void Pipeline::Rep::finish(const Job& job) {
  const MutexLock lock(mutex_);
  Batch& batch = *job.batch;
  const bool computed = !job.slot;
  if (computed) --running_;
  if (computed || ++batch.prepared == batch.count) {
    if (computed || !batch.has_good_image()) {
      done_[batch.number] = job.batch;
    } else {
      full_.push_back(job.batch);
    }
  }
  changed_.notify_all();
}

void Pipeline::Rep::prepare(Batch& batch, int slot, Preprocessor& preprocess, Image& image) {
  Stages measured;
  batch.starts[slot] = Clock::now();
  try {
    {
      const Stopwatch watch(measured.decode);
      decode(read_file(images_[batch.first + slot].path), image);
    }
    batch.sizes[slot] = {image.width, image.height};
    const Stopwatch watch(measured.preprocess);
    preprocess(image, batch.input.data() + input_.bytes_per_image() * slot);
  } catch (const ImageError& error) {
    batch.errors[slot] = error.what();
  } catch (const std::bad_alloc&) {
    batch.errors[slot] = "not enough memory";
  }
  merge(measured);
}

void Pipeline::Rep::compute(Batch& batch) {
  Stages measured;
  {
    const Stopwatch watch(measured.infer);
    backend_.run(batch.input.data(), batch.count, batch.values.data());
  }
  const Clock::time_point now = Clock::now();
  for (int slot = 0; slot < batch.count; ++slot) {
    if (batch.errors[slot].empty()) {
      measured.latency.add(std::chrono::duration<double>(now - batch.starts[slot]).count(), 0);
    }
  }
  merge(measured);
}

void Pipeline::Rep::merge(const Stages& measured) {
  const MutexLock lock(mutex_);
  stages_.merge(measured);
}

Pipeline::Pipeline(const std::vector<ImageFile>& images, const Description& description, Backend& backend, int threads)
    : rep_(std::make_unique<Rep>(images, description, backend, threads)) {}

Pipeline::~Pipeline() = default;

std::optional<std::vector<Result>> Pipeline::next() { return rep_->next(); }

Stages Pipeline::stages() const { return rep_->stages(); }

}  // namespace tinynet
