#include "services/ingest/codec/exponential_histogram.h"

#include "services/ingest/codec/fields.h"

namespace liveops::ingest {
namespace {

using wire::Tag;
using wire::Type;

}  // namespace

void ExponentialHistogram::Side::Clear() {
  offset = 0;
  counts.Clear();
}

bool ExponentialHistogram::ReadCounts(std::uint32_t tag, wire::Reader& in, Side& side) {
  if (wire::TypeOf(tag) == Type::kVarint) {
    std::uint64_t count = 0;
    if (!in.Varint(count)) return false;
    side.counts.Add(count);
    return true;
  }
  std::string_view run;
  return in.Bytes(run) && wire::AddVarints(run, side.counts, [](std::uint64_t v) { return v; });
}

bool ExponentialHistogram::ReadSide(std::string_view message, Side& side) {
  return ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
    switch (tag) {
      case Tag(1, Type::kVarint):
        return Taken(ReadSint32(in, side.offset));
      case Tag(2, Type::kBytes):
      case Tag(2, Type::kVarint):
        return Taken(ReadCounts(tag, in, side));
      default:
        return Took::kSkip;
    }
  });
}

bool ExponentialHistogram::Read(std::string_view message, AttributeList& own) {
  start_nano_ = time_nano_ = flags_ = count_ = zero_count_ = 0;
  sum_ = zero_threshold_ = 0;
  scale_ = 0;
  positive_.Clear();
  negative_.Clear();
  return ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
    std::string_view inside;
    switch (tag) {
      case Tag(1, Type::kBytes):
        return Taken(in.Bytes(inside) && own.Add(inside));
      case Tag(2, Type::kFixed64):
        return Taken(in.Fixed64(start_nano_));
      case Tag(3, Type::kFixed64):
        return Taken(in.Fixed64(time_nano_));
      case Tag(4, Type::kFixed64):
        return Taken(in.Fixed64(count_));
      case Tag(5, Type::kFixed64):
        return Taken(in.Double(sum_));
      case Tag(6, Type::kVarint):
        return Taken(ReadSint32(in, scale_));
      case Tag(7, Type::kFixed64):
        return Taken(in.Fixed64(zero_count_));
      case Tag(8, Type::kBytes):
        return Taken(in.Bytes(inside) && ReadSide(inside, positive_));
      case Tag(9, Type::kBytes):
        return Taken(in.Bytes(inside) && ReadSide(inside, negative_));
      case Tag(10, Type::kVarint):
        return Taken(in.Varint(flags_));
      case Tag(14, Type::kFixed64):
        return Taken(in.Double(zero_threshold_));
      default:
        return Took::kSkip;
    }
  });
}

bool ExponentialHistogram::Lay() {
  laid_.Begin(scale_);
  if (!laid_.AddZeros(zero_threshold_, zero_count_)) return false;
  for (const std::uint64_t count : negative_.counts.All()) {
    if (!laid_.AddNegative(count)) return false;
  }
  // The bucket with the number i lies between the bounds i and i + 1.
  std::int64_t bound = std::int64_t{positive_.offset} + 1;
  for (const std::uint64_t count : positive_.counts.All()) {
    if (count > 0 && !laid_.Add(bound, count)) return false;
    ++bound;
  }
  return true;
}

}  // namespace liveops::ingest
