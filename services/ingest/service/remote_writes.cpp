#include "services/ingest/service/remote_writes.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <deque>
#include <utility>

#include "common/base/text.h"
#include "services/ingest/admit/known_series.h"

namespace liveops::ingest {
namespace {

constexpr std::string_view kNameLabel = "__name__";
constexpr std::size_t kPointBytes = 24;       // upper estimate of a point in a record
constexpr std::size_t kEnvelopeBytes = 1000;  // of the record around them
constexpr std::uint32_t kNone = UINT32_MAX;

// Points of one service, which become one record, or one a partition that it is spread over.
struct Batch {
  std::uint32_t service = kNone;
  std::size_t bytes = 0;
  std::int64_t base_time_ms = 0;
  std::vector<std::uint32_t> point_series;
  std::vector<std::int64_t> point_time_delta_ms;
  std::vector<double> point_value;

  void Clear() {
    point_series.clear();
    point_time_delta_ms.clear();
    point_value.clear();
    bytes = kEnvelopeBytes;
  }
};

// As far as there are numbers: what is no time is refused as such when it is judged.
std::int64_t Minus(std::int64_t a, std::int64_t b) {
  std::int64_t difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return a < b ? INT64_MIN : INT64_MAX;
}

}  // namespace

// What is known of one sender, and the request of it that is at hand. One thread at a time.
class RemoteWrites::Sender {
 public:
  Sender(Core& core, const Settings& settings)
      : core_(core), settings_(settings), types_(settings.types), known_(core.settings().limits) {}
  ~Sender() { core_.ForgetSeries(counted_); }

  std::mutex& mutex() { return mutex_; }

  // False: the message is malformed.
  bool Read(const RemoteWriteRequest& request) {
    Begin();
    bool other = false;
    for (const RemoteMetadata& metadata : request.metadata())
      other |= types_.Learn(metadata.metric, metadata.type);
    if (other) Forget();
    for (const RemoteSeries& series : request.series()) {
      if (!Take(request, series)) return false;
    }
    return true;
  }

  MixedInput Input(std::size_t bytes) {
    for (std::size_t i = 0; i < used_; ++i) {
      Batch& batch = batches_[i];
      ServicePoints& points = points_.emplace_back();
      points.service = known_.service(batch.service);
      points.series = &known_.table(batch.service);
      points.batch.service = points.service;
      points.batch.base_time_ms = batch.base_time_ms;
      points.batch.point_series = batch.point_series;
      points.batch.point_time_delta_ms = batch.point_time_delta_ms;
      points.batch.point_value = batch.point_value;
    }
    return {Protocol::kRemoteWrite, points_, std::move(refused_.rejections), {}, bytes};
  }

  std::uint64_t stale_markers() const { return stale_markers_; }

  // What is remembered is bounded, for this sender and for all together.
  void End() {
    const std::size_t bytes = known_.bytes();
    bool room = true;
    if (bytes > counted_) {
      room = core_.RememberSeries(bytes - counted_).ok();
      if (room) counted_ = bytes;
    }
    if (!room || known_.size() > settings_.series_max) Forget();
  }

 private:
  void Begin() {
    used_ = 0;
    points_.clear();
    refused_ = {};
    stale_markers_ = 0;
    std::fill(current_.begin(), current_.end(), kNone);
  }

  void Forget() {
    known_.Clear();
    current_.clear();
    core_.ForgetSeries(std::exchange(counted_, 0));
  }

  bool Take(const RemoteWriteRequest& request, const RemoteSeries& series) {
    if (series.histograms > 0) {
      refused_.Reject(admit::Refusal::kUnsupported, series.histograms,
                      "native histograms are not taken");
    }
    if (series.samples == 0) return true;
    admit::KnownSeries::Place place;
    if (const auto* found = known_.Find(series.key)) {
      place = *found;
    } else {
      if (!request.LabelsOf(series, pairs_)) return false;
      if (!Learn(series, place)) return true;
    }
    for (std::uint32_t i = 0; i < series.samples; ++i) {
      const double value = request.values()[series.first_sample + i];
      if (std::isnan(value)) {
        NoValue(value, place);
      } else {
        Point(place, request.times_ms()[series.first_sample + i], value);
      }
    }
    return true;
  }

  // The place of a series of `pairs_`. False: it has no service; its points are refused.
  bool Learn(const RemoteSeries& series, admit::KnownSeries::Place& place) {
    std::string_view metric;
    std::string_view service;
    std::size_t rank = settings_.service_labels.size();
    for (const auto& [name, value] : pairs_) {
      for (std::size_t i = 0; i < rank; ++i) {
        if (value.empty() || name != settings_.service_labels[i]) continue;
        rank = i;
        service = value;
      }
    }
    if (service.empty()) {
      refused_.Reject(
          admit::Refusal::kBadService, series.samples,
          "no label of the series names its service; one of them must: " + ServiceLabels());
      return false;
    }
    const auto times = [&](std::string_view name) {
      return std::count_if(pairs_.begin(), pairs_.end(),
                           [&](const auto& pair) { return pair.first == name; });
    };
    // Who stands twice stays, and is refused as that. A label without a value is none.
    const std::string_view service_label = settings_.service_labels[rank];
    const bool named_once = times(kNameLabel) == 1;
    const bool served_once = times(service_label) == 1;
    for (const auto& [name, value] : pairs_) {
      if (name == kNameLabel) metric = value;
    }
    std::erase_if(pairs_, [&](const auto& pair) {
      return pair.second.empty() || (named_once && pair.first == kNameLabel) ||
             (served_once && pair.first == service_label);
    });
    place = known_.Add(series.key, service, types_.KindOf(metric, series.type), metric, pairs_);
    return true;
  }

  std::string ServiceLabels() const {
    std::string out;
    for (const std::string& label : settings_.service_labels)
      out += (out.empty() ? "" : ", ") + label;
    return out;
  }

  void NoValue(double value, const admit::KnownSeries::Place& place) {
    if (std::bit_cast<std::uint64_t>(value) == kStaleMarker) {
      ++stale_markers_;
      return;
    }
    // Nothing is missing to a rule: the ticks do not tell it.
    refused_.Reject(admit::Refusal::kNotFinite, 1,
                    known_.table(place.service).NameOf(place.series) + ": the value is NaN");
  }

  void Point(const admit::KnownSeries::Place& place, std::int64_t time_ms, double value) {
    Batch& batch = BatchOf(place, kPointBytes);
    if (batch.point_series.empty()) batch.base_time_ms = time_ms;
    batch.point_series.push_back(place.series);
    batch.point_time_delta_ms.push_back(Minus(time_ms, batch.base_time_ms));
    batch.point_value.push_back(value);
  }

  // The present batch of a service, which has room for a point of so many bytes and for its series.
  Batch& BatchOf(const admit::KnownSeries::Place& place, std::size_t point_bytes) {
    if (place.service >= current_.size()) current_.resize(place.service + 1, kNone);
    std::uint32_t& current = current_[place.service];
    const std::size_t bytes = point_bytes + known_.RecordBytes(place);
    if (current == kNone || batches_[current].bytes + bytes > core_.settings().record_bytes_max) {
      if (used_ == batches_.size()) batches_.emplace_back();
      current = static_cast<std::uint32_t>(used_++);
      batches_[current].Clear();
      batches_[current].service = place.service;
    }
    batches_[current].bytes += bytes;
    return batches_[current];
  }

  Core& core_;
  const Settings& settings_;
  std::mutex mutex_;
  PromTypes types_;
  admit::KnownSeries known_;
  std::size_t counted_ = 0;  // of its bytes, with the core

  RemoteWriteRequest::Pairs pairs_;
  std::deque<Batch> batches_;
  std::size_t used_ = 0;                // of them
  std::vector<std::uint32_t> current_;  // by service: its batch
  std::vector<ServicePoints> points_;
  admit::Admission refused_;
  std::uint64_t stale_markers_ = 0;
};

RemoteWrites::RemoteWrites(Core& core, Settings settings)
    : core_(core), settings_(std::move(settings)) {}
RemoteWrites::~RemoteWrites() = default;

RemoteWrites::Sender& RemoteWrites::SenderOf(const rpc::Peer& peer) {
  const std::lock_guard lock(mutex_);
  auto& sender = senders_[peer.name];
  if (!sender) sender = std::make_unique<Sender>(core_, settings_);
  return *sender;
}

std::unique_ptr<RemoteWriteRequest> RemoteWrites::Borrow() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<RemoteWriteRequest>();
  std::unique_ptr<RemoteWriteRequest> request = std::move(idle_.back());
  idle_.pop_back();
  return request;
}

void RemoteWrites::Return(std::unique_ptr<RemoteWriteRequest> request) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(request));
}

void RemoteWrites::Write(Version, std::string_view message, const rpc::Peer& peer,
                         std::string_view traceparent, const Done& done) {
  // Set before the one answer that it is about.
  const auto stale = std::make_shared<std::uint64_t>(0);
  Core::Done answered = core_.Heard(peer, Protocol::kRemoteWrite, message.size(),
                                    [done, stale](const Result<WriteAnswer>& result) {
                                      if (!result) return done(result.error());
                                      done(Answer{*result, *stale});
                                    });
  std::unique_ptr<RemoteWriteRequest> request = Borrow();
  Sender& sender = SenderOf(peer);
  bool read = request->Read1(message);
  if (read) {
    const std::lock_guard lock(sender.mutex());
    read = sender.Read(*request);
    if (read) {
      *stale = sender.stale_markers();
      core_.CountStaleMarkers(*stale);
      core_.Take(sender.Input(message.size()), peer, traceparent, answered);
    }
    sender.End();
  }
  Return(std::move(request));
  if (!read) answered(InvalidError("the message is no prometheus.WriteRequest: it is malformed"));
}

}  // namespace liveops::ingest
