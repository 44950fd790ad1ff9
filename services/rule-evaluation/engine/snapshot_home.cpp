#include "services/rule-evaluation/engine/snapshot_parts.h"

namespace liveops::engine {
namespace {

void WriteTold(const Home::Told& told, ByteWriter& out) {
  out.Varint(told.parts);
  out.Signed(told.whole_ms);
  out.Varint(told.bytes.size());
  for (const auto& [part, bytes] : told.bytes) {
    out.Varint(part);
    out.String(bytes);
  }
}

bool ReadTold(Home::Told& told, ByteReader& in) {
  told.parts = static_cast<std::uint32_t>(in.Varint());
  told.whole_ms = in.Milliseconds();
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    const std::uint64_t part = in.Varint();
    if (part >= told.parts) return false;
    told.bytes.emplace(static_cast<std::uint32_t>(part), in.String());
  }
  return in.ok();
}

void WriteHome(const Home& home, ByteWriter& out) {
  out.Varint(home.waiting.size());
  for (const auto& [step, by_source] : home.waiting) {
    out.Signed(step);
    out.Varint(by_source.size());
    for (const auto& [source, told] : by_source) {
      out.Signed(source);
      WriteTold(told, out);
    }
  }
  out.Varint(home.groups.size());
  for (const auto& [key, group] : home.groups) {
    out.String(key);
    out.Signed(group.silence_ms);
    out.Bool(group.heard);
    out.Varint(group.left.size());
    for (const auto& [who, at_ms] : group.left) {
      out.Signed(who.first);
      out.Varint(who.second);
      out.Signed(at_ms);
    }
  }
  out.Varint(home.left_shared.size());
  for (const auto& [who, at_ms] : home.left_shared) {
    out.Varint(std::get<0>(who));
    out.String(std::get<1>(who));
    out.Signed(std::get<2>(who));
    out.Signed(at_ms);
  }
  out.Varint(home.departed.size());
  for (const auto& [key, at_ms] : home.departed) {
    out.String(key);
    out.Signed(at_ms);
  }
}

bool ReadHome(Home& home, ByteReader& in) {
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    auto& by_source = home.waiting[in.Milliseconds()];
    for (std::uint64_t m = in.Varint(); m > 0 && in.ok(); --m) {
      const auto source = static_cast<std::int32_t>(in.Milliseconds());
      if (!ReadTold(by_source[source], in)) return false;
    }
  }
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    Home::OfGroup& group = home.groups[std::string(in.String())];
    group.silence_ms = in.Milliseconds();
    group.heard = in.Bool();
    for (std::uint64_t m = in.Varint(); m > 0 && in.ok(); --m) {
      const auto source = static_cast<std::int32_t>(in.Milliseconds());
      const auto store = static_cast<std::uint8_t>(in.Varint());
      group.left[{source, store}] = in.Milliseconds();
    }
  }
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    const auto store = static_cast<std::uint8_t>(in.Varint());
    std::string key(in.String());
    const auto source = static_cast<std::int32_t>(in.Milliseconds());
    home.left_shared[{store, std::move(key), source}] = in.Milliseconds();
  }
  for (std::uint64_t n = in.Varint(); n > 0 && in.ok(); --n) {
    std::string key(in.String());
    home.departed.emplace(std::move(key), in.Milliseconds());
  }
  return in.ok();
}

}  // namespace

void WriteRole(const Rule& rule, ByteWriter& out) {
  out.Varint(static_cast<std::uint64_t>(rule.role));
  if (rule.role == Role::kWhole) return;
  out.Signed(rule.told);
  out.Signed(rule.unseen_ms);
  if (rule.home) WriteHome(*rule.home, out);
}

bool ReadRole(Rule& rule, ByteReader& in) {
  const std::uint64_t role = in.Varint();
  if (role > static_cast<std::uint64_t>(Role::kHome)) return false;
  rule.role = static_cast<Role>(role);
  if (rule.role == Role::kWhole) return in.ok();
  rule.told = in.Milliseconds();
  rule.unseen_ms = in.Milliseconds();
  if (rule.role != Role::kHome) return in.ok();
  rule.home = std::make_unique<Home>();
  return ReadHome(*rule.home, in);
}

}  // namespace liveops::engine
