#pragma once

#include <cstdint>
#include <string_view>

#include "common/wire/wire.h"

// Inside this folder: walks over the fields of a message.
namespace liveops::ingest {

// Calls `field(tag, in)` for each field of a message; it reads the field, or answers kSkip.
enum class Took { kYes, kSkip, kMalformed };

template <typename F>
bool ForEachField(std::string_view message, F field) {
  wire::Reader in(message);
  while (!in.AtEnd()) {
    std::uint32_t tag = 0;
    if (!in.Tag(tag)) return false;
    const Took took = field(tag, in);
    if (took == Took::kMalformed) return false;
    if (took == Took::kSkip && !in.Skip(tag, wire::kNestedMax)) return false;
  }
  return true;
}

// A sint32: of a longer varint the lower half counts.
inline bool ReadSint32(wire::Reader& in, std::int32_t& v) {
  std::uint64_t raw = 0;
  if (!in.Varint(raw)) return false;
  const auto low = static_cast<std::uint32_t>(raw);
  v = static_cast<std::int32_t>(low >> 1) ^ -static_cast<std::int32_t>(low & 1);
  return true;
}

inline Took Taken(bool read) { return read ? Took::kYes : Took::kMalformed; }

// Calls `each(message)` for each message in the field `number`; false of it ends the walk.
template <typename F>
bool ForEachMessage(std::string_view message, std::uint32_t number, F each) {
  return ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
    if (tag != wire::Tag(number, wire::Type::kBytes)) return Took::kSkip;
    std::string_view inside;
    return Taken(in.Bytes(inside) && each(inside));
  });
}

// A label of Prometheus': name and value.
inline bool ReadPromLabel(std::string_view message, std::string_view& name,
                          std::string_view& value) {
  return ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
    if (tag == wire::Tag(1, wire::Type::kBytes)) return Taken(in.Bytes(name));
    if (tag == wire::Tag(2, wire::Type::kBytes)) return Taken(in.Bytes(value));
    return Took::kSkip;
  });
}

}  // namespace liveops::ingest
