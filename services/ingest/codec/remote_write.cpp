#include "services/ingest/codec/remote_write.h"

#include "common/wire/writer.h"
#include "services/ingest/codec/fields.h"

namespace liveops::ingest {
namespace {

using wire::Tag;
using wire::Type;

PromType TypeOf(std::uint64_t number) {
  // An enum is the low half of what came.
  const auto value = static_cast<std::int32_t>(number);
  return value >= 0 && value <= 7 ? static_cast<PromType>(value) : PromType::kUnknown;
}

bool ReadLabel(std::string_view message, std::string_view& name, std::string_view& value) {
  return ForEachField(message, [&](std::uint32_t tag, wire::Reader& in) {
    if (tag == Tag(1, Type::kBytes)) return Taken(in.Bytes(name));
    if (tag == Tag(2, Type::kBytes)) return Taken(in.Bytes(value));
    return Took::kSkip;
  });
}

}  // namespace

void RemoteWriteRequest::Clear() {
  series_.clear();
  metadata_.clear();
  values_.Clear();
  times_ms_.Clear();
  histograms_.clear();
  exemplars_ = 0;
  rejoined_.clear();
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
  series.first_sample = static_cast<std::uint32_t>(values_.size());
  series.first_histogram = static_cast<std::uint32_t>(histograms_.size());
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
        ++exemplars_;
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
  series.samples = static_cast<std::uint32_t>(values_.size()) - series.first_sample;
  series.histograms = static_cast<std::uint32_t>(histograms_.size()) - series.first_histogram;
  series_.push_back(series);
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
  metadata.type = TypeOf(type);
  metadata_.push_back(metadata);
  return true;
}

bool RemoteWriteRequest::LabelsOf(const RemoteSeries& series, Pairs& pairs) const {
  pairs.clear();
  return ForEachMessage(series.labels, 1, [&](std::string_view label) {
    auto& [name, value] = pairs.emplace_back();
    return ReadLabel(label, name, value);
  });
}

}  // namespace liveops::ingest
