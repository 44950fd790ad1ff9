#include "services/ingest/codec/native_histogram.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "common/wire/wire.h"
#include "services/ingest/codec/fields.h"

namespace liveops::ingest {
namespace {

using wire::Tag;
using wire::Type;

constexpr std::int64_t kCustom = -53;
constexpr int kCoarsest = -4;
constexpr int kFinest = 8;
constexpr int kUsual = 3;
constexpr int kLowestPower = -17;
constexpr int kHighestPower = 33;
constexpr double kCountMax = 9007199254740992;  // 2^53: beyond, not every count is a double

struct Ladder {
  std::int64_t lowest = 0;  // index of the first bound
  std::vector<double> bounds;
};

Ladder MakeLadder(int schema) {
  Ladder ladder;
  const double steps = std::exp2(schema);  // to the next power of 2
  ladder.lowest = static_cast<std::int64_t>(std::ceil(kLowestPower * steps));
  const auto highest = static_cast<std::int64_t>(std::floor(kHighestPower * steps));
  for (std::int64_t i = ladder.lowest; i <= highest; ++i)
    ladder.bounds.push_back(std::exp2(static_cast<double>(i) / steps));
  return ladder;
}

const Ladder& LadderOf(int schema) {
  static const std::array<Ladder, kUsual - kCoarsest + 1> ladders = [] {
    std::array<Ladder, kUsual - kCoarsest + 1> all;
    for (int s = kCoarsest; s <= kUsual; ++s)
      all[static_cast<std::size_t>(s - kCoarsest)] = MakeLadder(s);
    return all;
  }();
  return ladders[static_cast<std::size_t>(schema - kCoarsest)];
}

constexpr std::array<std::string_view, kUsual - kCoarsest> kNames = {"-4", "-3", "-2", "-1",
                                                                     "0",  "1",  "2"};

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

std::int32_t ZigZag32(std::uint64_t v) {
  const auto low = static_cast<std::uint32_t>(v);
  return static_cast<std::int32_t>(low >> 1) ^ -static_cast<std::int32_t>(low & 1);
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
    if (tag == Tag(1, Type::kVarint)) {
      if (!in.Varint(value)) return Took::kMalformed;
      span.offset = ZigZag32(value);
      return Took::kYes;
    }
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
  schema_ = time_ms_ = start_ms_ = 0;
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
        if (!in.Varint(value)) return Took::kMalformed;
        schema_ = ZigZag32(value);
        return Took::kYes;
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

std::size_t NativeHistogram::PlaceOf(std::int64_t index) const {
  // Merging 2^n buckets: a bucket's index is that of its upper bound, so it is rounded up.
  const std::int64_t merged = -((-index) >> merged_);
  const std::int64_t place = merged - lowest_;
  return static_cast<std::size_t>(
      std::clamp<std::int64_t>(place, 0, static_cast<std::int64_t>(bounds_.size())));
}

bool NativeHistogram::Count(std::int64_t index, bool negative, std::uint64_t count) {
  const std::size_t place = negative ? 0 : PlaceOf(index);
  counts_[place] += count;
  return !__builtin_add_overflow(total_, count, &total_);
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
  ladder_ = {};
  merged_ = 0;
  if (custom) {
    lowest_ = 0;
    bounds_ = custom_;
    if (!negative_.spans.empty()) return "custom buckets have no negative ones";
  } else {
    const int used = static_cast<int>(std::min<std::int64_t>(schema_, kUsual));
    merged_ = static_cast<int>(schema_) - used;
    if (used < kUsual) ladder_ = kNames[static_cast<std::size_t>(used - kCoarsest)];
    lowest_ = LadderOf(used).lowest;
    bounds_ = LadderOf(used).bounds;
  }
  counts_.assign(bounds_.size() + 1, 0);
  total_ = 0;
  const auto zeros = is_float_ ? Rounded(zero_count_float_) : std::optional(zero_count_int_);
  if (!zeros) return "the count of its zero bucket is no count";
  if (*zeros > 0) {
    const auto place = std::lower_bound(bounds_.begin(), bounds_.end(), zero_threshold_);
    counts_[static_cast<std::size_t>(place - bounds_.begin())] += *zeros;
    total_ = *zeros;
  }
  if (!LaySide(negative_, true) || !LaySide(positive_, false))
    return "its spans and counts do not fit together, or a count is none";
  if (!is_float_ && total_ > count_int_) return "its buckets hold more than its count";
  return std::nullopt;
}

}  // namespace liveops::ingest
