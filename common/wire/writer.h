#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "common/wire/wire.h"

// Protobuf's wire format, written: each number as short as it can be, so that the bytes are those
// which libprotobuf writes for the same fields in the same order.
namespace liveops::wire {

constexpr std::uint64_t ToZigZag(std::int64_t v) {
  return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}

constexpr std::size_t VarintSize(std::uint64_t v) {
  return (static_cast<std::size_t>(std::bit_width(v | 1)) + 6) / 7;
}

// Where a Writer's bytes go: first they are counted, then written into room of that size.
class Counter {
 public:
  void Varint(std::uint64_t v) { size_ += VarintSize(v); }
  void Fixed64(std::uint64_t) { size_ += 8; }
  void Raw(const void*, std::size_t size) { size_ += size; }
  template <typename T, typename F>
  void Varints(std::span<const T>, F, std::size_t size) {
    size_ += size;
  }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

class Pen {
 public:
  explicit Pen(char* at) : at_(at) {}
  void Varint(std::uint64_t v) {
    for (; v >= 0x80; v >>= 7) *at_++ = static_cast<char>(v | 0x80);
    *at_++ = static_cast<char>(v);
  }
  void Fixed64(std::uint64_t v) {
    if constexpr (std::endian::native == std::endian::little) {
      std::memcpy(at_, &v, 8);
    } else {
      for (int i = 0; i < 8; ++i) at_[i] = static_cast<char>(v >> (8 * i));
    }
    at_ += 8;
  }
  void Raw(const void* bytes, std::size_t size) {
    if (size > 0) std::memcpy(at_, bytes, size);
    at_ += size;
  }
  template <typename T, typename F>
  void Varints(std::span<const T> values, F convert, std::size_t) {
    for (const T v : values) Varint(convert(v));
  }

 private:
  char* at_;
};

// How many bytes `write(writer)` writes.
template <typename F>
std::size_t SizeOf(F write);

// Fields whose value is proto3's default are left out, as libprotobuf does. Field numbers are below
// 16.
template <typename Sink>
class Writer {
 public:
  explicit Writer(Sink& sink) : sink_(sink) {}

  void Number(std::uint32_t field, std::uint64_t v) {
    if (v == 0) return;
    Head(field, Type::kVarint);
    sink_.Varint(v);
  }
  void Fixed64(std::uint32_t field, std::uint64_t v) {
    if (v == 0) return;
    Head(field, Type::kFixed64);
    sink_.Fixed64(v);
  }
  void Double(std::uint32_t field, double v) { Fixed64(field, std::bit_cast<std::uint64_t>(v)); }
  void Text(std::uint32_t field, std::string_view text) {
    if (!text.empty()) Element(field, text);
  }
  // Of a repeated field: written even when it is empty.
  void Element(std::uint32_t field, std::string_view bytes) {
    Length(field, bytes.size());
    sink_.Raw(bytes.data(), bytes.size());
  }
  // A message, of the fields that `write(writer)` writes. It may be called several times.
  template <typename F>
  void Message(std::uint32_t field, F write) {
    const std::size_t size = SizeOf(write);
    Length(field, size);
    if constexpr (std::is_same_v<Sink, Counter>) {
      sink_.Raw(nullptr, size);
    } else {
      write(*this);
    }
  }
  // A packed run; `convert` makes the number that is written.
  template <typename T, typename F>
  void Packed(std::uint32_t field, std::span<const T> values, F convert) {
    if (values.empty()) return;
    std::size_t size = 0;
    for (const T v : values) size += VarintSize(convert(v));
    Length(field, size);
    sink_.Varints(values, convert, size);
  }
  void PackedDoubles(std::uint32_t field, std::span<const double> values) {
    if (values.empty()) return;
    Length(field, values.size() * 8);
    if constexpr (std::endian::native == std::endian::little) {
      sink_.Raw(values.data(), values.size() * 8);
    } else {
      for (const double v : values) sink_.Fixed64(std::bit_cast<std::uint64_t>(v));
    }
  }

 private:
  void Head(std::uint32_t field, Type type) { sink_.Varint(Tag(field, type)); }
  void Length(std::uint32_t field, std::size_t size) {
    Head(field, Type::kBytes);
    sink_.Varint(size);
  }

  Sink& sink_;
};

template <typename F>
std::size_t SizeOf(F write) {
  Counter counter;
  Writer<Counter> writer(counter);
  write(writer);
  return counter.size();
}

// What `write(writer)` writes. It is called twice.
template <typename F>
std::string BytesOf(F write) {
  std::string out(SizeOf(write), '\0');
  Pen pen(out.data());
  Writer<Pen> writer(pen);
  write(writer);
  return out;
}

}  // namespace liveops::wire
