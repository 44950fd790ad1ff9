#include <cstring>

#include "services/ingest/codec/fields.h"
#include "services/ingest/codec/remote_write.h"

namespace liveops::ingest {

using wire::Tag;
using wire::Type;

bool RemoteWriteRequest::Read2(std::string_view message) {
  Clear();
  // Symbols may stand behind the series that name them.
  if (!ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
        if (tag == Tag(4, Type::kBytes)) return Taken(in.Bytes(symbols_.emplace_back()));
        if (tag == Tag(5, Type::kBytes)) return Taken(in.Bytes(messages_.emplace_back()));
        return Took::kSkip;
      })) {
    return false;
  }
  if (!symbols_.empty() && !symbols_.front().empty()) return false;
  for (const std::string_view& symbol : symbols_)
    symbol_keys_.push_back(FingerprintOf(std::span(&symbol, 1)));
  for (const std::string_view series : messages_) {
    if (!Series2(series)) return false;
  }
  return true;
}

bool RemoteWriteRequest::Series2(std::string_view message) {
  RemoteSeries series;
  Begin(series);
  if (!ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
        std::string_view inside;
        std::uint64_t number = 0;
        switch (tag) {
          case Tag(1, Type::kBytes):
            return Taken(in.Bytes(inside) && Refs(inside));
          case Tag(1, Type::kVarint):
            if (!in.Varint(number)) return Took::kMalformed;
            refs_.Add(static_cast<std::uint32_t>(number));
            return Took::kYes;
          case Tag(2, Type::kBytes):
            return Taken(in.Bytes(inside) && Sample2(inside));
          case Tag(3, Type::kBytes):
            return Taken(in.Bytes(histograms_.emplace_back()));
          case Tag(4, Type::kBytes):
            return Taken(in.Bytes(exemplars_.emplace_back()));
          case Tag(5, Type::kBytes):
            return Taken(in.Bytes(inside) &&
                         ForEachField(inside, [&](std::uint32_t of, wire::Reader& field) {
                           if (of != Tag(1, Type::kVarint)) return Took::kSkip;
                           if (!field.Varint(number)) return Took::kMalformed;
                           series.type = PromTypeOf(number);
                           return Took::kYes;
                         }));
          case Tag(6, Type::kVarint):
            if (!in.Varint(number)) return Took::kMalformed;
            series.created_ms = static_cast<std::int64_t>(number);
            return Took::kYes;
          default:
            return Took::kSkip;
        }
      })) {
    return false;
  }
  if (!KeyByRefs(series)) return false;
  End(series);
  return true;
}

bool RemoteWriteRequest::Refs(std::string_view run) {
  return wire::AddVarints(run, refs_,
                          [](std::uint64_t v) { return static_cast<std::uint32_t>(v); });
}

// Its symbols, in order, whatever numbers they have in this request; and its type, which the series
// is of another kind without.
bool RemoteWriteRequest::KeyByRefs(RemoteSeries& series) {
  series.refs = static_cast<std::uint32_t>(refs_.size()) - series.first_ref;
  if (series.refs % 2 != 0) return false;
  joined_.resize(series.refs * sizeof(Fingerprint) + 1);
  for (std::uint32_t i = 0; i < series.refs; ++i) {
    const std::uint32_t ref = refs_[series.first_ref + i];
    if (ref >= symbols_.size()) return false;
    std::memcpy(joined_.data() + i * sizeof(Fingerprint), &symbol_keys_[ref], sizeof(Fingerprint));
  }
  joined_.back() = static_cast<char>(series.type);
  const std::string_view joined = joined_;
  series.key = FingerprintOf(std::span(&joined, 1));
  return true;
}

bool RemoteWriteRequest::Sample2(std::string_view message) {
  double value = 0;
  std::uint64_t time_ms = 0;
  std::uint64_t start_ms = 0;
  if (!ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
        if (tag == Tag(1, Type::kFixed64)) return Taken(in.Double(value));
        if (tag == Tag(2, Type::kVarint)) return Taken(in.Varint(time_ms));
        if (tag == Tag(3, Type::kVarint)) return Taken(in.Varint(start_ms));
        return Took::kSkip;
      })) {
    return false;
  }
  values_.Add(value);
  times_ms_.Add(static_cast<std::int64_t>(time_ms));
  starts_ms_.Add(static_cast<std::int64_t>(start_ms));
  return true;
}

}  // namespace liveops::ingest
