#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

// Protobuf's wire format (https://protobuf.dev/programming-guides/encoding/), read in place.
namespace liveops::wire {

enum class Type : std::uint32_t {
  kVarint = 0,
  kFixed64 = 1,
  kBytes = 2,
  kGroup = 3,
  kGroupEnd = 4,
  kFixed32 = 5,
};

constexpr std::uint32_t Tag(std::uint32_t field, Type type) {
  return field << 3 | static_cast<std::uint32_t>(type);
}
constexpr std::uint32_t FieldOf(std::uint32_t tag) { return tag >> 3; }
constexpr Type TypeOf(std::uint32_t tag) { return static_cast<Type>(tag & 7); }

inline std::int64_t ZigZag(std::uint64_t v) {
  return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
}

// As deep as libprotobuf goes by default; what is nested deeper is refused.
inline constexpr int kNestedMax = 100;

// A cursor over bytes that it does not own. Every function is false when the bytes end too early or
// say what the format does not allow; then nothing more may be read. It accepts exactly what
// libprotobuf accepts: varints longer than they need be, tags and lengths of at most five bytes.
class Reader {
 public:
  explicit Reader(std::string_view bytes)
      : at_(reinterpret_cast<const std::uint8_t*>(bytes.data())), end_(at_ + bytes.size()) {}

  bool AtEnd() const { return at_ == end_; }

  bool Varint(std::uint64_t& v) {
    if (at_ == end_) return false;
    if (*at_ < 0x80) {
      v = *at_++;
      return true;
    }
    return LongVarint(v, 10);
  }
  // Never 0: no field has that number.
  bool Tag(std::uint32_t& tag) {
    std::uint64_t v = 0;
    if (at_ != end_ && *at_ < 0x80) {
      v = *at_++;
    } else if (!LongVarint(v, 5)) {
      return false;
    }
    tag = static_cast<std::uint32_t>(v);
    return FieldOf(tag) != 0;
  }
  // Over this tag, if it is what comes next, and written as short as it can be.
  template <std::uint32_t tag>
  bool At() {
    static_assert(tag < 0x80);
    if (at_ == end_ || *at_ != tag) return false;
    ++at_;
    return true;
  }
  bool Fixed64(std::uint64_t& v) {
    if (end_ - at_ < 8) return false;
    v = Load64(at_);
    at_ += 8;
    return true;
  }
  bool Double(double& v) {
    std::uint64_t bits = 0;
    if (!Fixed64(bits)) return false;
    v = std::bit_cast<double>(bits);
    return true;
  }
  bool Bytes(std::string_view& bytes) {
    std::uint64_t size = 0;
    if (at_ != end_ && *at_ < 0x80) {
      size = *at_++;
    } else if (!LongVarint(size, 5)) {
      return false;
    }
    if (size > static_cast<std::uint64_t>(end_ - at_)) return false;
    bytes = {reinterpret_cast<const char*>(at_), static_cast<std::size_t>(size)};
    at_ += size;
    return true;
  }
  // A `string` of proto3, which is UTF-8 or the message is none.
  bool Text(std::string_view& text);
  // Over a field of which nothing is wanted. `nested`: how many groups may stand in each other.
  bool Skip(std::uint32_t tag, int nested);

  static std::uint64_t Load64(const std::uint8_t* at) {
    if constexpr (std::endian::native == std::endian::little) {
      std::uint64_t v = 0;
      std::memcpy(&v, at, sizeof v);
      return v;
    } else {
      std::uint64_t v = 0;
      for (int i = 7; i >= 0; --i) v = v << 8 | at[i];
      return v;
    }
  }

 private:
  // Of at most so many bytes. Out of line: what is read in great numbers is short, or in a packed
  // run.
  bool LongVarint(std::uint64_t& v, int bytes_max);

  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

// Numbers whose memory is used again from record to record; it stays as large as the largest
// record made it.
template <typename T>
class Column {
 public:
  void Clear() { size_ = 0; }
  std::size_t size() const { return size_; }
  std::span<const T> From(std::size_t first) const { return {room_.data() + first, size_ - first}; }
  std::span<const T> All() const { return From(0); }
  const T& operator[](std::size_t i) const { return room_[i]; }

  void Add(T value) {
    *Room(1) = value;
    ++size_;
  }
  // Room for so many more; Added says how many came.
  T* Room(std::size_t more) {
    if (room_.size() - size_ < more) room_.resize(std::bit_ceil(size_ + more));
    return room_.data() + size_;
  }
  void Added(std::size_t more) { size_ += more; }

 private:
  std::vector<T> room_;  // its size is what there is room for
  std::size_t size_ = 0;
};

// A packed run of varints, each made a T by `convert`.
template <typename T, typename F>
bool AddVarints(std::string_view run, Column<T>& column, F convert) {
  T* const begin = column.Room(run.size());  // each takes a byte at least
  T* out = begin;
  const auto* at = reinterpret_cast<const std::uint8_t*>(run.data());
  const auto* const end = at + run.size();
  while (at != end) {
    // Mostly they are small: eight of one byte each.
    if (end - at >= 8 && (Reader::Load64(at) & 0x8080'8080'8080'8080) == 0) {
      for (int i = 0; i < 8; ++i) *out++ = convert(std::uint64_t{at[i]});
      at += 8;
      continue;
    }
    std::uint64_t v = *at & 0x7f;
    for (int shift = 7; *at++ >= 0x80; shift += 7) {
      if (at == end || shift > 63) return false;
      v |= std::uint64_t{*at & 0x7fu} << shift;
    }
    *out++ = convert(v);
  }
  column.Added(static_cast<std::size_t>(out - begin));
  return true;
}

// A packed run of numbers of eight bytes: doubles, fixed64.
template <typename T>
bool AddFixed64s(std::string_view run, Column<T>& column) {
  static_assert(sizeof(T) == 8);
  if (run.size() % 8 != 0) return false;
  const std::size_t count = run.size() / 8;
  T* const out = column.Room(count);
  if constexpr (std::endian::native == std::endian::little) {
    if (count > 0) std::memcpy(out, run.data(), run.size());
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      out[i] = std::bit_cast<T>(
          Reader::Load64(reinterpret_cast<const std::uint8_t*>(run.data()) + 8 * i));
    }
  }
  column.Added(count);
  return true;
}

}  // namespace liveops::wire
