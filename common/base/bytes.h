#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace liveops {

// A compact byte encoding for snapshots and canonical label bytes: LEB128 varints, zig-zag for
// signed, IEEE doubles little-endian, strings with their length in front. The same value always
// gives the same bytes.
class ByteWriter {
 public:
  void Varint(std::uint64_t v) {
    while (v >= 0x80) {
      out_.push_back(static_cast<char>(v | 0x80));
      v >>= 7;
    }
    out_.push_back(static_cast<char>(v));
  }
  void Signed(std::int64_t v) {
    Varint((static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63));
  }
  void Bool(bool v) { out_.push_back(v ? 1 : 0); }
  void Double(double v) { Fixed64(std::bit_cast<std::uint64_t>(v)); }
  void Fixed64(std::uint64_t v) {
    char bytes[8];
    for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(v >> (8 * i));
    out_.append(bytes, 8);
  }
  void String(std::string_view v) {
    Varint(v.size());
    out_.append(v);
  }

  std::size_t size() const { return out_.size(); }
  const std::string& bytes() const { return out_; }
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

// Reads what ByteWriter wrote. Past the end or on a malformed varint every further read gives zero
// or empty and ok() turns false: read all, then test once. Does not own the bytes.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : in_(bytes) {}

  std::uint64_t Varint() {
    std::uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (in_.empty()) return Fail();
      const auto b = static_cast<std::uint8_t>(in_.front());
      in_.remove_prefix(1);
      v |= static_cast<std::uint64_t>(b & 0x7f) << shift;
      if (b < 0x80) return v;
    }
    return Fail();
  }
  std::int64_t Signed() {
    const std::uint64_t v = Varint();
    return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
  }
  // A time or a span. Beyond 2^53 ms (285,000 years) there is none of ours, and what is below can
  // be added and multiplied by a few without overflow. `never` stands for no time at all.
  std::int64_t Milliseconds(std::int64_t never = 0) {
    constexpr std::int64_t kFar = std::int64_t{1} << 53;
    const std::int64_t v = Signed();
    if (v == never || (v >= -kFar && v <= kFar)) return v;
    return static_cast<std::int64_t>(Fail());
  }
  bool Bool() {
    if (in_.empty()) return Fail() != 0;
    const bool v = in_.front() != 0;
    in_.remove_prefix(1);
    return v;
  }
  double Double() { return std::bit_cast<double>(Fixed64()); }
  std::uint64_t Fixed64() {
    if (in_.size() < 8) return Fail();
    std::uint64_t v = 0;
    for (int i = 7; i >= 0; --i)
      v = (v << 8) | static_cast<std::uint8_t>(in_[static_cast<std::size_t>(i)]);
    in_.remove_prefix(8);
    return v;
  }
  std::string_view String() {
    const std::uint64_t size = Varint();
    if (size > in_.size()) {
      Fail();
      return {};
    }
    const std::string_view v = in_.substr(0, size);
    in_.remove_prefix(size);
    return v;
  }

  bool ok() const { return ok_; }
  bool AtEnd() const { return in_.empty(); }
  std::size_t remaining() const { return in_.size(); }

 private:
  std::uint64_t Fail() {
    ok_ = false;
    in_ = {};
    return 0;
  }

  std::string_view in_;
  bool ok_ = true;
};

}  // namespace liveops
