// Images to logits with all cores at work: threads decode and prepare images, and run whole batches as they fill up.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "backend.h"
#include "description.h"
#include "files.h"
#include "preprocess.h"
#include "timing.h"

namespace tinynet {

struct Result {
  std::size_t index = 0;      // of the image among those given
  std::string error;          // why there are no logits; empty for a good image
  std::vector<float> logits;  // one for each class
};

// Every thread takes the most advanced work there is: a full batch when the backend has a call free, else the next
// image. So cores are never idle while there is work for them, whichever of decoding and inference costs more, and a
// device that takes one call at a time is fed by all others.
class Pipeline {
 public:
  Pipeline(const std::vector<ImageFile>& images, const Description& description, Backend& backend, int threads);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  ~Pipeline();  // stops the threads, whatever is left to do

  // The results of the next batch, in the order of the images; nothing when all are done.
  // Throws UserError: as Backend::run.
  std::optional<std::vector<Result>> next();

  // What has been measured so far; complete when next() has given nothing.
  const Stages& stages() const { return stages_; }

 private:
  struct Batch;
  struct Job;

  void work();                           // of each thread
  std::optional<Job> take();             // waits for work; nothing when there will be no more
  std::shared_ptr<Batch> begin_batch();  // with the lock held
  void prepare(Batch& batch, int slot, Preprocessor& preprocess, Image& image);
  void compute(Batch& batch);
  void stop();

  const std::vector<ImageFile>& images_;
  const Description& description_;
  Backend& backend_;
  const InputSpec input_;
  const int limit_;  // batches under way at once, so that memory stays bounded

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t next_image_ = 0;  // to be given out
  std::size_t next_batch_ = 0;  // to be handed over
  int running_ = 0;             // calls of the backend
  int under_way_ = 0;           // batches begun and not handed over
  bool stopping_ = false;
  std::exception_ptr error_;
  std::shared_ptr<Batch> filling_;                      // images are still being given out
  std::deque<std::shared_ptr<Batch>> full_;             // prepared, to be computed
  std::map<std::size_t, std::shared_ptr<Batch>> done_;  // computed, by number
  std::vector<std::shared_ptr<Batch>> spare_;           // whose memory is used again
  Stages stages_;
  std::vector<std::thread> threads_;
};

}  // namespace tinynet
