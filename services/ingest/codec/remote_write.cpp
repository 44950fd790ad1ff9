#include "services/ingest/codec/remote_write.h"

#include "common/wire/writer.h"
#include "services/ingest/codec/fields.h"

namespace liveops::ingest {
namespace {

using wire::Tag;
using wire::Type;

}  // namespace

void RemoteWriteRequest::Clear() {
  series_.clear();
  metadata_.clear();
  values_.Clear();
  times_ms_.Clear();
  histograms_.clear();
  exemplars_.clear();
  rejoined_.clear();
  symbols_.clear();
  symbol_keys_.clear();
  messages_.clear();
  refs_.Clear();
  starts_ms_.Clear();
}

void RemoteWriteRequest::Begin(RemoteSeries& series) const {
  series.first_sample = static_cast<std::uint32_t>(values_.size());
  series.first_histogram = static_cast<std::uint32_t>(histograms_.size());
  series.first_exemplar = static_cast<std::uint32_t>(exemplars_.size());
  series.first_ref = static_cast<std::uint32_t>(refs_.size());
}

void RemoteWriteRequest::End(RemoteSeries& series) {
  series.samples = static_cast<std::uint32_t>(values_.size()) - series.first_sample;
  series.histograms = static_cast<std::uint32_t>(histograms_.size()) - series.first_histogram;
  series.exemplars = static_cast<std::uint32_t>(exemplars_.size()) - series.first_exemplar;
  series_.push_back(series);
}

bool RemoteWriteRequest::Read1(std::string_view message) {
  Clear();
  return ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
    std::string_view inside;
    if (tag == Tag(1, Type::kBytes)) return Taken(in.Bytes(inside) && Series1(inside));
    if (tag == Tag(3, Type::kBytes)) return Taken(in.Bytes(inside) && Metadata(inside));
    return Took::kSkip;
  });
}

bool RemoteWriteRequest::Series1(std::string_view message) {
  RemoteSeries series;
  Begin(series);
  // As every sender writes it: the labels first, of which nothing is looked at but where they end.
  wire::Reader in(message);
  const char* end = message.data();
  std::string_view inside;
  while (in.At<Tag(1, Type::kBytes)>()) {
    if (!in.Bytes(inside)) return false;
    end = inside.data() + inside.size();
  }
  series.labels = message.substr(0, static_cast<std::size_t>(end - message.data()));
  std::string apart;
  while (!in.AtEnd()) {
    std::uint32_t tag = 0;
    if (!in.Tag(tag)) return false;
    bool read = true;
    switch (tag) {
      case Tag(1, Type::kBytes):
        read = in.Bytes(inside);
        if (read) apart += wire::BytesOf([&](auto& out) { out.Element(1, inside); });
        break;
      case Tag(2, Type::kBytes):
        read = in.Bytes(inside) && Sample(inside);
        break;
      case Tag(3, Type::kBytes):
        read = in.Bytes(inside);
        exemplars_.push_back(inside);
        break;
      case Tag(4, Type::kBytes):
        read = in.Bytes(inside);
        histograms_.push_back(inside);
        break;
      default:
        read = in.Skip(tag, wire::kNestedMax);
        break;
    }
    if (!read) return false;
  }
  if (!apart.empty()) {
    apart.insert(0, series.labels);
    series.labels = rejoined_.emplace_back(std::move(apart));
  }
  series.key = FingerprintOf(std::span(&series.labels, 1));
  End(series);
  return true;
}

bool RemoteWriteRequest::Sample(std::string_view message) {
  double value = 0;
  std::uint64_t time_ms = 0;
  wire::Reader in(message);
  // Both, in order, as every sender writes them, 0 being left out; or fields in any order.
  bool read = !in.At<Tag(1, Type::kFixed64)>() || in.Double(value);
  read = read && (!in.At<Tag(2, Type::kVarint)>() || in.Varint(time_ms));
  if (!read || !in.AtEnd()) {
    value = 0;
    time_ms = 0;
    if (!ForEachField(message, [&](std::uint32_t tag, wire::Reader& field) {
          if (tag == Tag(1, Type::kFixed64)) return Taken(field.Double(value));
          if (tag == Tag(2, Type::kVarint)) return Taken(field.Varint(time_ms));
          return Took::kSkip;
        })) {
      return false;
    }
  }
  values_.Add(value);
  times_ms_.Add(static_cast<std::int64_t>(time_ms));
  return true;
}

bool RemoteWriteRequest::Metadata(std::string_view message) {
  RemoteMetadata metadata;
  std::uint64_t type = 0;
  if (!ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
        if (tag == Tag(1, Type::kVarint)) return Taken(in.Varint(type));
        if (tag == Tag(2, Type::kBytes)) return Taken(in.Bytes(metadata.metric));
        return Took::kSkip;
      })) {
    return false;
  }
  metadata.type = PromTypeOf(type);
  metadata_.push_back(metadata);
  return true;
}

bool RemoteWriteRequest::LabelsOf(const RemoteSeries& series, Pairs& pairs) const {
  pairs.clear();
  for (std::uint32_t i = 0; i < series.refs; i += 2) {
    const std::uint32_t at = series.first_ref + i;
    pairs.emplace_back(symbols_[refs_[at]], symbols_[refs_[at + 1]]);
  }
  return ForEachMessage(series.labels, 1, [&](std::string_view label) {
    auto& [name, value] = pairs.emplace_back();
    return ReadPromLabel(label, name, value);
  });
}

}  // namespace liveops::ingest
