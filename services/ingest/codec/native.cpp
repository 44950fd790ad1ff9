#include "services/ingest/codec/native.h"

#include "common/base/text.h"

namespace liveops::ingest {
namespace {

constexpr std::size_t kEmitterBytesMax = 128;

template <typename T>
std::span<const T> SpanOf(const google::protobuf::RepeatedField<T>& field) {
  return {field.data(), static_cast<std::size_t>(field.size())};
}

template <typename T>
void Append(google::protobuf::RepeatedField<T>* field, const std::vector<T>& values) {
  field->Add(values.begin(), values.end());
}

}  // namespace

BatchViews::BatchViews(const v1::MetricBatch& batch) {
  strings_.assign(batch.strings().begin(), batch.strings().end());
  series_.reserve(static_cast<std::size_t>(batch.series_size()));
  for (const v1::SeriesEntry& s : batch.series())
    series_.push_back({s.kind(), s.metric(), s.unit(), s.labels()});
  histograms_.reserve(static_cast<std::size_t>(batch.histograms_size()));
  for (const v1::HistogramPoint& h : batch.histograms()) {
    histograms_.push_back({h.series(), h.time_delta_ms(), h.duration_ms(), h.count(), h.sum(),
                           SpanOf(h.bounds()), SpanOf(h.bucket_counts())});
  }
  input_ = {batch.service(),
            strings_,
            series_,
            batch.base_time_ms(),
            SpanOf(batch.point_series()),
            SpanOf(batch.point_time_delta_ms()),
            SpanOf(batch.point_duration_ms()),
            SpanOf(batch.point_value()),
            histograms_};
}

Status CheckSource(const v1::Source& source) {
  if (source.emitter().empty())
    return InvalidError("source.emitter is empty; name the sending instance");
  if (source.emitter().size() > kEmitterBytesMax) {
    return InvalidError("source.emitter is longer than " + std::to_string(kEmitterBytesMax) +
                        " bytes");
  }
  if (!IsValidUtf8(source.emitter())) return InvalidError("source.emitter is not UTF-8");
  if (source.session() == 0) {
    return InvalidError(
        "source.session is 0; draw a random one at each start, so that a retry is not counted "
        "twice");
  }
  if (source.sequence() == 0) {
    return InvalidError(
        "source.sequence is 0; count the requests of a session from 1, and keep the number in a "
        "retry");
  }
  return {};
}

std::uint64_t PointsOf(const v1::MetricBatch& batch) {
  return static_cast<std::uint64_t>(batch.point_value_size()) +
         static_cast<std::uint64_t>(batch.histograms_size());
}

std::string EncodeBatch(const v1::Source& source, std::string_view service, v1::Protocol protocol,
                        const admit::Admitted& batch) {
  v1::ShardRecord record;
  *record.mutable_source() = source;
  v1::MetricBatch* const out = record.mutable_batch();
  out->set_service(std::string(service));
  out->set_protocol(protocol);
  for (const std::string_view text : batch.strings) out->add_strings(std::string(text));
  for (const admit::Series& series : batch.series) {
    v1::SeriesEntry* const entry = out->add_series();
    entry->set_fingerprint_hi(series.fingerprint.hi);
    entry->set_fingerprint_lo(series.fingerprint.lo);
    entry->set_kind(static_cast<v1::SeriesKind>(series.kind));
    entry->set_metric(series.metric);
    entry->set_unit(series.unit);
    entry->set_labels(series.labels);
  }
  out->set_base_time_ms(batch.base_time_ms);
  Append(out->mutable_point_series(), batch.point_series);
  Append(out->mutable_point_time_delta_ms(), batch.point_time_delta_ms);
  Append(out->mutable_point_duration_ms(), batch.point_duration_ms);
  Append(out->mutable_point_value(), batch.point_value);
  for (const admit::Histogram& histogram : batch.histograms) {
    v1::HistogramPoint* const point = out->add_histograms();
    point->set_series(histogram.series);
    point->set_time_delta_ms(histogram.time_delta_ms);
    point->set_duration_ms(histogram.duration_ms);
    point->set_count(histogram.count);
    point->set_sum(histogram.sum);
    point->mutable_bounds()->Add(histogram.bounds.begin(), histogram.bounds.end());
    if (histogram.bucket_counts.empty()) {
      point->add_bucket_counts(histogram.count);
    } else {
      point->mutable_bucket_counts()->Add(histogram.bucket_counts.begin(),
                                          histogram.bucket_counts.end());
    }
  }
  return record.SerializeAsString();
}

void FillRejections(const std::vector<admit::Rejection>& rejections,
                    google::protobuf::RepeatedPtrField<v1::Rejection>* out) {
  for (const admit::Rejection& rejection : rejections) {
    v1::Rejection* const entry = out->Add();
    entry->set_reason(admit::RefusalWord(rejection.reason));
    entry->set_points(rejection.points);
    entry->set_example(ScrubUtf8(rejection.example));
  }
}

}  // namespace liveops::ingest
