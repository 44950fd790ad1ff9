#include "services/ingest/codec/otlp_exemplars.h"

#include "services/ingest/codec/fields.h"

namespace liveops::ingest {
namespace {

using wire::Tag;
using wire::Type;

constexpr std::uint64_t kNanosPerMs = 1'000'000;
constexpr std::size_t kTraceIdBytes = 16;

constexpr std::size_t kMax = 1000;

void Add(std::string_view message, const ExemplarSeries& of, std::vector<Exemplar>& out) {
  std::uint64_t time_nano = 0;
  std::uint64_t integer = 0;
  double value = 0;
  bool valued = false;
  std::string_view trace;
  std::string_view span;
  const bool read = ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
    switch (tag) {
      case Tag(2, Type::kFixed64):
        return Taken(in.Fixed64(time_nano));
      case Tag(3, Type::kFixed64):
        valued = true;
        return Taken(in.Double(value));
      case Tag(4, Type::kBytes):
        return Taken(in.Bytes(span));
      case Tag(5, Type::kBytes):
        return Taken(in.Bytes(trace));
      case Tag(6, Type::kFixed64):
        if (!in.Fixed64(integer)) return Took::kMalformed;
        value = static_cast<double>(static_cast<std::int64_t>(integer));
        valued = true;
        return Took::kYes;
      default:
        return Took::kSkip;
    }
  });
  if (!read || !valued || trace.size() != kTraceIdBytes) return;
  out.push_back({std::string(of.service), std::string(of.metric), std::string(of.unit),
                 std::string(of.labels), static_cast<std::int64_t>(time_nano / kNanosPerMs), value,
                 std::string(trace), std::string(span)});
}

}  // namespace

void AddExemplars(std::span<const std::string_view> messages, const ExemplarSeries& of,
                  std::vector<Exemplar>& out) {
  for (const std::string_view message : messages) {
    if (out.size() < kMax) Add(message, of, out);
  }
}

}  // namespace liveops::ingest
