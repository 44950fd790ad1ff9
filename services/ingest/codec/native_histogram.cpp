#include "services/ingest/codec/native_histogram.h"

#include <cmath>

#include "common/wire/wire.h"
#include "services/ingest/codec/fields.h"

namespace liveops::ingest {
namespace {

using wire::Tag;
using wire::Type;

constexpr std::int32_t kCustom = -53;
constexpr int kCoarsest = -4;
constexpr int kFinest = 8;
constexpr double kCountMax = 9007199254740992;  // 2^53: beyond, not every count is a double

// Numbers of a field that may be packed or not: `single` is their wire type outside a run, `read`
// takes one.
template <typename T, typename F>
bool ReadRun(std::uint32_t tag, Type single, wire::Reader& in, bool (wire::Reader::*read)(T&),
             F add) {
  T value{};
  if (wire::TypeOf(tag) == single) {
    if (!(in.*read)(value)) return false;
    add(value);
    return true;
  }
  std::string_view run;
  if (!in.Bytes(run)) return false;
  wire::Reader inside(run);
  while (!inside.AtEnd()) {
    if (!(inside.*read)(value)) return false;
    add(value);
  }
  return true;
}

template <typename F>
bool ReadDoubles(std::uint32_t tag, wire::Reader& in, F add) {
  return ReadRun(tag, Type::kFixed64, in, &wire::Reader::Double, add);
}

template <typename F>
bool ReadVarints(std::uint32_t tag, wire::Reader& in, F add) {
  return ReadRun(tag, Type::kVarint, in, &wire::Reader::Varint, add);
}

std::optional<std::uint64_t> Rounded(double count) {
  if (!(count >= 0 && count <= kCountMax)) return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(count));
}

}  // namespace

void NativeHistogram::Side::Clear() {
  spans.clear();
  deltas.clear();
  counts.clear();
}

bool NativeHistogram::ReadSpan(std::string_view message, Side& side) {
  Span& span = side.spans.emplace_back();
  return ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
    std::uint64_t value = 0;
    if (tag == Tag(1, Type::kVarint)) return Taken(ReadSint32(in, span.offset));
    if (tag != Tag(2, Type::kVarint)) return Took::kSkip;
    if (!in.Varint(value)) return Took::kMalformed;
    span.length = static_cast<std::uint32_t>(value);
    return Took::kYes;
  });
}

bool NativeHistogram::Read(std::string_view message) {
  sum_ = count_float_ = zero_threshold_ = zero_count_float_ = 0;
  count_int_ = zero_count_int_ = reset_hint_ = 0;
  is_float_ = false;
  schema_ = 0;
  time_ms_ = start_ms_ = 0;
  negative_.Clear();
  positive_.Clear();
  custom_.clear();
  return ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
    std::string_view inside;
    std::uint64_t value = 0;
    const auto delta_of = [](Side& side) {
      return [&side](std::uint64_t v) { side.deltas.push_back(wire::ZigZag(v)); };
    };
    const auto count_of = [](Side& side) {
      return [&side](double v) { side.counts.push_back(v); };
    };
    switch (tag) {
      case Tag(1, Type::kVarint):
        is_float_ = false;
        return Taken(in.Varint(count_int_));
      case Tag(2, Type::kFixed64):
        is_float_ = true;
        return Taken(in.Double(count_float_));
      case Tag(3, Type::kFixed64):
        return Taken(in.Double(sum_));
      case Tag(4, Type::kVarint):
        return Taken(ReadSint32(in, schema_));
      case Tag(5, Type::kFixed64):
        return Taken(in.Double(zero_threshold_));
      case Tag(6, Type::kVarint):
        return Taken(in.Varint(zero_count_int_));
      case Tag(7, Type::kFixed64):
        return Taken(in.Double(zero_count_float_));
      case Tag(8, Type::kBytes):
        return Taken(in.Bytes(inside) && ReadSpan(inside, negative_));
      case Tag(9, Type::kBytes):
      case Tag(9, Type::kVarint):
        return Taken(ReadVarints(tag, in, delta_of(negative_)));
      case Tag(10, Type::kBytes):
      case Tag(10, Type::kFixed64):
        return Taken(ReadDoubles(tag, in, count_of(negative_)));
      case Tag(11, Type::kBytes):
        return Taken(in.Bytes(inside) && ReadSpan(inside, positive_));
      case Tag(12, Type::kBytes):
      case Tag(12, Type::kVarint):
        return Taken(ReadVarints(tag, in, delta_of(positive_)));
      case Tag(13, Type::kBytes):
      case Tag(13, Type::kFixed64):
        return Taken(ReadDoubles(tag, in, count_of(positive_)));
      case Tag(14, Type::kVarint):
        return Taken(in.Varint(reset_hint_));
      case Tag(15, Type::kVarint):
        if (!in.Varint(value)) return Took::kMalformed;
        time_ms_ = static_cast<std::int64_t>(value);
        return Took::kYes;
      case Tag(16, Type::kBytes):
      case Tag(16, Type::kFixed64):
        return Taken(ReadDoubles(tag, in, [&](double v) { custom_.push_back(v); }));
      case Tag(17, Type::kVarint):
        if (!in.Varint(value)) return Took::kMalformed;
        start_ms_ = static_cast<std::int64_t>(value);
        return Took::kYes;
      default:
        return Took::kSkip;
    }
  });
}

bool NativeHistogram::LaySide(const Side& side, bool negative) {
  std::int64_t index = 0;
  std::int64_t count = 0;
  std::size_t at = 0;
  const std::size_t buckets = is_float_ ? side.counts.size() : side.deltas.size();
  for (const Span& span : side.spans) {
    index += span.offset;
    if (span.length > buckets - at) return false;
    for (std::uint32_t i = 0; i < span.length; ++i, ++at, ++index) {
      if (is_float_) {
        const auto rounded = Rounded(side.counts[at]);
        if (!rounded || !Count(index, negative, *rounded)) return false;
        continue;
      }
      if (__builtin_add_overflow(count, side.deltas[at], &count) || count < 0) return false;
      if (!Count(index, negative, static_cast<std::uint64_t>(count))) return false;
    }
  }
  return at == buckets;
}

std::optional<std::string> NativeHistogram::Lay() {
  const bool custom = schema_ == kCustom;
  if (!custom && (schema_ < kCoarsest || schema_ > kFinest))
    return "schema " + std::to_string(schema_) + " is not known";
  if (custom) {
    laid_.BeginCustom(custom_);
    if (!negative_.spans.empty()) return "custom buckets have no negative ones";
  } else {
    laid_.Begin(schema_);
  }
  const auto zeros = is_float_ ? Rounded(zero_count_float_) : std::optional(zero_count_int_);
  if (!zeros) return "the count of its zero bucket is no count";
  laid_.AddZeros(zero_threshold_, *zeros);  // the first: nothing overflows
  if (!LaySide(negative_, true) || !LaySide(positive_, false))
    return "its spans and counts do not fit together, or a count is none";
  if (!is_float_ && laid_.total() > count_int_) return "its buckets hold more than its count";
  return std::nullopt;
}

}  // namespace liveops::ingest
