#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/time.h"

namespace liveops::engine {

// Each (emitter, session, sequence) counts once. A window of the last 1024 sequences of each
// session is kept, so that batches that overtake each other on a retry are told from batches that
// come twice; what lies behind it is taken as a repeat. Sessions that were silent for an hour are
// forgotten. Pure.
class Sessions {
 public:
  // True when this sequence is new.
  bool Accept(std::string_view emitter, std::uint64_t session, std::uint64_t sequence, Instant now);
  void ForgetBefore(Instant moment);
  std::size_t size() const { return windows_.size(); }

  void Write(ByteWriter& out) const;
  bool Read(ByteReader& in);

 private:
  static constexpr std::uint64_t kWidth = 1024;
  struct Window {
    std::uint64_t highest = 0;
    Instant last{};
    std::array<std::uint64_t, kWidth / 64> seen{};  // bit sequence % 1024
  };
  struct Less {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      if (a.second != b.second) return a.second < b.second;
      return std::string_view(a.first) < std::string_view(b.first);
    }
  };

  std::map<std::pair<std::string, std::uint64_t>, Window, Less> windows_;
};

}  // namespace liveops::engine
