#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>

#include "common/base/result.h"

// Inside this folder.
namespace liveops::ingest {

// The records of one request on their way. All but the mutex is set before the first can land.
// Answered, once, when the last one has; thread-safe.
template <typename Answer>
struct Flight {
  std::mutex mutex;
  std::size_t left = 0;
  std::optional<Error> error;
  Answer answer;
  std::function<void(const Result<Answer>&)> done;

  void Landed(const Status& status) {
    {
      const std::lock_guard lock(mutex);
      // Of what will never do and what will later, the sender is told the latter: it sends it
      // again.
      if (!status && (!error || error->code == ErrorCode::kInvalid)) error = status.error();
      if (--left > 0) return;
    }
    if (error) return done(*error);
    done(answer);
  }
};

}  // namespace liveops::ingest
