#include "services/rule-evaluation/engine/sessions.h"

#include <algorithm>

namespace liveops::engine {

bool Sessions::Accept(std::string_view emitter, std::uint64_t session, std::uint64_t sequence,
                      Instant now) {
  auto it = windows_.find(std::pair(emitter, session));
  if (it == windows_.end()) {
    it = windows_.emplace(std::pair(std::string(emitter), session), Window{}).first;
  }
  Window& window = it->second;
  window.last = std::max(window.last, now);
  const auto word = [&](std::uint64_t s) -> std::uint64_t& {
    return window.seen[(s % kWidth) / 64];
  };
  const auto bit = [](std::uint64_t s) { return std::uint64_t{1} << (s % 64); };
  if (sequence > window.highest) {
    if (sequence - window.highest >= kWidth) {
      window.seen.fill(0);
    } else {
      for (std::uint64_t s = window.highest + 1; s < sequence; ++s) word(s) &= ~bit(s);
    }
    word(sequence) |= bit(sequence);
    window.highest = sequence;
    return true;
  }
  if (window.highest - sequence >= kWidth || (word(sequence) & bit(sequence)) != 0) return false;
  word(sequence) |= bit(sequence);
  return true;
}

void Sessions::ForgetBefore(Instant moment) {
  std::erase_if(windows_, [&](const auto& entry) { return entry.second.last < moment; });
}

void Sessions::Write(ByteWriter& out) const {
  out.Varint(windows_.size());
  for (const auto& [key, window] : windows_) {
    out.String(key.first);
    out.Fixed64(key.second);
    out.Varint(window.highest);
    out.Signed(ToMs(window.last));
    for (const std::uint64_t word : window.seen) out.Varint(word);
  }
}

bool Sessions::Read(ByteReader& in) {
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    std::string emitter(in.String());
    const std::uint64_t session = in.Fixed64();
    Window window;
    window.highest = in.Varint();
    window.last = InstantFromMs(in.Milliseconds());
    for (std::uint64_t& word : window.seen) word = in.Varint();
    windows_.emplace(std::pair(std::move(emitter), session), window);
  }
  return in.ok();
}

}  // namespace liveops::engine
