#include <algorithm>
#include <array>

#include "services/ingest/codec/fields.h"
#include "services/ingest/codec/hex.h"
#include "services/ingest/codec/remote_write.h"

namespace liveops::ingest {
namespace {

using wire::Tag;
using wire::Type;

constexpr std::size_t kTraceIdBytes = 16;
constexpr std::size_t kShortTraceIdBytes = 8;  // as B3 and Jaeger may have them
constexpr std::size_t kSpanIdBytes = 8;
// OpenMetrics recommends the first; the others are what clients write, too.
constexpr std::array<std::string_view, 3> kTraceLabels = {"trace_id", "traceID", "traceId"};
constexpr std::array<std::string_view, 3> kSpanLabels = {"span_id", "spanID", "spanId"};

bool IsAmong(std::string_view name, const std::array<std::string_view, 3>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Fills in what a label of the exemplar says of its trace.
void Learn(std::string_view name, std::string_view value, RemoteExemplar& out) {
  if (IsAmong(name, kTraceLabels)) {
    const auto id = BytesOfHex(value);
    if (!id || (id->size() != kTraceIdBytes && id->size() != kShortTraceIdBytes)) return;
    out.trace_id = std::string(kTraceIdBytes - id->size(), '\0') + *id;
  } else if (IsAmong(name, kSpanLabels)) {
    const auto id = BytesOfHex(value);
    if (id && id->size() == kSpanIdBytes) out.span_id = *id;
  }
}

}  // namespace

std::optional<RemoteExemplar> RemoteWriteRequest::ReadExemplar(std::string_view message) const {
  const bool by_symbols = !symbols_.empty();  // 2.0
  RemoteExemplar out;
  wire::Column<std::uint32_t> refs;
  const bool read = ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
    std::string_view inside;
    std::uint64_t number = 0;
    switch (tag) {
      case Tag(1, Type::kBytes): {
        if (!in.Bytes(inside)) return Took::kMalformed;
        if (by_symbols) {
          return Taken(wire::AddVarints(
              inside, refs, [](std::uint64_t v) { return static_cast<std::uint32_t>(v); }));
        }
        std::string_view name;
        std::string_view value;
        if (!ReadPromLabel(inside, name, value)) return Took::kMalformed;
        Learn(name, value, out);
        return Took::kYes;
      }
      case Tag(1, Type::kVarint):
        if (!by_symbols) return Took::kSkip;
        if (!in.Varint(number)) return Took::kMalformed;
        refs.Add(static_cast<std::uint32_t>(number));
        return Took::kYes;
      case Tag(2, Type::kFixed64):
        return Taken(in.Double(out.value));
      case Tag(3, Type::kVarint):
        if (!in.Varint(number)) return Took::kMalformed;
        out.time_ms = static_cast<std::int64_t>(number);
        return Took::kYes;
      default:
        return Took::kSkip;
    }
  });
  if (!read) return std::nullopt;
  for (std::size_t i = 0; i + 1 < refs.size(); i += 2) {
    if (refs[i] >= symbols_.size() || refs[i + 1] >= symbols_.size()) return std::nullopt;
    Learn(symbols_[refs[i]], symbols_[refs[i + 1]], out);
  }
  if (out.trace_id.empty()) return std::nullopt;
  return out;
}

}  // namespace liveops::ingest
