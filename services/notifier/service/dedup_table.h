#pragma once

#include <functional>
#include <memory>

#include "services/notifier/service/core.h"

namespace liveops::notifier {

// Dedup windows in Redis, on a thread of its own: nothing that leaves waits for it longer than
// kDedupPatience.
//   liveops:notifier:dedup:<partition>                        the generation mark: epoch of the
//   owner that wrote the windows liveops:notifier:dedup:<partition>:<destination>:<alarm> deadline,
//   domain ms; the TTL only collects garbage
// An answer without this owner's mark is "cannot tell": Redis may have lost windows, or another
// owner wrote them.
class DedupTable {
 public:
  // On the table's thread. `rebuild`: the mark was missing, the windows must be stored anew.
  using Answered =
      std::function<void(const DedupQuestion&, DedupView::State, Instant until, bool rebuild)>;

  DedupTable(redis::Config config, Answered answered);
  ~DedupTable();  // what was not begun is dropped: the table can be rebuilt
  DedupTable(const DedupTable&) = delete;
  DedupTable& operator=(const DedupTable&) = delete;

  // Thread-safe; return at once.
  void Ask(DedupQuestion question);
  void Store(DedupStore store);
  bool connected() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace liveops::notifier
