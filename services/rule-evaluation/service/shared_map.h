#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/hash.h"

namespace liveops::evaluation {

// A map by string of which a frozen copy costs next to nothing, however large it is: it is kept in
// buckets, and a bucket that a frozen copy shows is copied before it changes. One thread changes
// it; what Freeze gave may be read by any.
template <typename T>
class SharedMap {
 public:
  using Bucket = std::map<std::string, T>;
  using Frozen = std::vector<std::shared_ptr<const Bucket>>;

  const T* Find(const std::string& key) const {
    const Slot& slot = slots_[IndexOf(key)];
    if (!slot.bucket) return nullptr;
    const auto it = slot.bucket->find(key);
    return it == slot.bucket->end() ? nullptr : &it->second;
  }
  bool contains(const std::string& key) const { return Find(key) != nullptr; }

  void Set(const std::string& key, T value) { Own(key).insert_or_assign(key, std::move(value)); }
  void Erase(const std::string& key) {
    if (contains(key)) Own(key).erase(key);
  }

  // What it holds now, by buckets; the empty ones left out.
  Frozen Freeze() {
    Frozen frozen;
    for (Slot& slot : slots_) {
      if (!slot.bucket || slot.bucket->empty()) continue;
      slot.shown = true;
      frozen.push_back(slot.bucket);
    }
    return frozen;
  }

 private:
  struct Slot {
    std::shared_ptr<Bucket> bucket;
    bool shown = false;
  };

  static std::size_t IndexOf(const std::string& key) { return Xxh64(key) % kBuckets; }

  Bucket& Own(const std::string& key) {
    Slot& slot = slots_[IndexOf(key)];
    if (!slot.bucket) {
      slot.bucket = std::make_shared<Bucket>();
    } else if (slot.shown) {
      slot.bucket = std::make_shared<Bucket>(*slot.bucket);
    }
    slot.shown = false;
    return *slot.bucket;
  }

  static constexpr std::size_t kBuckets = 256;
  std::array<Slot, kBuckets> slots_;
};

}  // namespace liveops::evaluation
