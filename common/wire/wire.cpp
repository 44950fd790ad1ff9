#include "common/wire/wire.h"

#include "common/base/text.h"

namespace liveops::wire {

bool Reader::LongVarint(std::uint64_t& v, int bytes_max) {
  v = 0;
  for (int i = 0; i < bytes_max; ++i) {
    if (at_ == end_) return false;
    const std::uint64_t byte = *at_++;
    v |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return true;
  }
  return false;
}

bool Reader::Text(std::string_view& text) { return Bytes(text) && IsValidUtf8(text); }

bool Reader::Skip(std::uint32_t tag, int nested) {
  std::uint64_t number = 0;
  std::string_view bytes;
  switch (TypeOf(tag)) {
    case Type::kVarint:
      return Varint(number);
    case Type::kFixed64:
      return Fixed64(number);
    case Type::kBytes:
      return Bytes(bytes);
    case Type::kFixed32:
      if (end_ - at_ < 4) return false;
      at_ += 4;
      return true;
    case Type::kGroup:
      if (nested == 0) return false;
      for (std::uint32_t inner = 0; Tag(inner);) {
        if (inner == wire::Tag(FieldOf(tag), Type::kGroupEnd)) return true;
        if (!Skip(inner, nested - 1)) return false;
      }
      return false;
    case Type::kGroupEnd:
      return false;  // of a group that did not begin
  }
  return false;
}

}  // namespace liveops::wire
