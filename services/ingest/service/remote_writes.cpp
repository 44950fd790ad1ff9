#include "services/ingest/service/remote_writes.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <deque>
#include <optional>
#include <utility>

#include "common/base/hash.h"
#include "common/base/labels.h"
#include "common/base/text.h"
#include "services/ingest/admit/known_series.h"
#include "services/ingest/codec/native_histogram.h"
#include "services/ingest/service/remote_batch.h"

namespace liveops::ingest {
namespace {

constexpr std::string_view kNameLabel = "__name__";
constexpr const char* kMalformed1 = "the message is no prometheus.WriteRequest: it is malformed";
constexpr const char* kMalformed2 =
    "the message is no io.prometheus.write.v2.Request: it is malformed, symbols[0] is not empty, "
    "or "
    "a reference leads to no symbol";
constexpr std::uint32_t kNone = UINT32_MAX;
constexpr std::size_t kExemplarsMax = 1000;  // of a request
constexpr std::string_view kBucketEnd = "_bucket";
constexpr std::string_view kBoundLabel = "le";

// OpenMetrics wants the unit at the name's end; of traces it is time that is looked at.
const char* UnitOf(std::string_view metric) {
  if (metric.ends_with(kBucketEnd)) metric.remove_suffix(kBucketEnd.size());
  return metric.ends_with("_seconds") ? "s" : "";
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
      const std::uint32_t service = batches_[i].service();
      const std::string_view name = known_.service(service);
      points_.push_back({name, batches_[i].Input(name), &known_.table(service)});
    }
    return {Protocol::kRemoteWrite, points_, std::move(refused_.rejections), told_, bytes};
  }

  std::uint64_t stale_markers() const { return stale_markers_; }
  std::vector<Exemplar>& exemplars() { return exemplars_; }

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
    told_.clear();
    stale_markers_ = 0;
    exemplars_.clear();
    std::fill(current_.begin(), current_.end(), kNone);
  }

  void Forget() {
    known_.Clear();
    current_.clear();
    core_.ForgetSeries(std::exchange(counted_, 0));
  }

  bool Take(const RemoteWriteRequest& request, const RemoteSeries& series) {
    for (std::uint32_t i = 0; i < series.histograms; ++i) {
      if (!Histogram(request, series, request.histograms()[series.first_histogram + i]))
        return false;
    }
    if (series.exemplars > 0 && !TakeExemplars(request, series)) return false;
    if (series.samples == 0) return true;
    Found place;
    if (!Find(request, series, series.key, {}, place)) return false;
    if (!place) return Refuse(admit::Refusal::kBadService, series.samples, NoService());
    const bool starts = !request.starts_ms().empty();
    for (std::uint32_t i = series.first_sample; i < series.first_sample + series.samples; ++i) {
      const double value = request.values()[i];
      if (std::isnan(value)) {
        NoValue(value, *place);
        continue;
      }
      const std::int64_t said = starts ? request.starts_ms()[i] : 0;
      BatchOf(*place, RecordBytesOfPoint())
          .Add(place->series, request.times_ms()[i], StartOf(*place, said, series), value);
    }
    return true;
  }

  // Nothing hangs on them: of a series that names no service nobody is told.
  bool TakeExemplars(const RemoteWriteRequest& request, const RemoteSeries& series) {
    if (!request.LabelsOf(series, pairs_)) return false;
    const auto named = TakeNames();
    if (!named) return true;
    Labels labels;
    for (const auto& [name, value] : pairs_) {
      if (name != kBoundLabel || !named->metric.ends_with(kBucketEnd)) labels.Set(name, value);
    }
    for (std::uint32_t i = 0; i < series.exemplars && exemplars_.size() < kExemplarsMax; ++i) {
      auto read = request.ReadExemplar(request.exemplars()[series.first_exemplar + i]);
      if (!read) continue;
      exemplars_.push_back({std::string(named->service), std::string(named->metric),
                            UnitOf(named->metric), labels.Encode(), read->time_ms, read->value,
                            std::move(read->trace_id), std::move(read->span_id)});
    }
    return true;
  }

  // When its counting began; of what does not count nothing is said.
  std::int64_t StartOf(const admit::KnownSeries::Place& place, std::int64_t said,
                       const RemoteSeries& series) {
    const admit::SeriesTable::Entry& entry = known_.table(place.service).At(place.series);
    if (entry.input.kind == static_cast<int>(admit::SeriesKind::kGauge)) return 0;
    return said != 0 ? said : series.created_ms;
  }

  bool Histogram(const RemoteWriteRequest& request, const RemoteSeries& series,
                 std::string_view message) {
    if (!histogram_.Read(message)) return false;
    const auto problem = histogram_.Lay();
    // Beside the single values of a series, and by ladder.
    Fingerprint key = series.key;
    key.hi ^= Xxh64("histogram") + Xxh64(histogram_.ladder());
    Found place;
    if (!Find(request, series, key, histogram_.ladder(), place)) return false;
    if (!place) return Refuse(admit::Refusal::kBadService, 1, NoService());
    if (std::bit_cast<std::uint64_t>(histogram_.sum()) == kStaleMarker) {
      ++stale_markers_;
      return true;
    }
    const std::string_view service = known_.service(place->service);
    if (histogram_.is_gauge()) {
      Tell(service);
      return Refuse(admit::Refusal::kUnsupported, 1, "gauge histograms are not taken");
    }
    if (problem) {
      Tell(service);
      return Refuse(admit::Refusal::kBadHistogram, 1, *problem);
    }
    BatchOf(*place, RecordBytesOf(histogram_)).Add(place->series, histogram_);
    return true;
  }

  bool Refuse(admit::Refusal why, std::uint64_t points, std::string_view example) {
    refused_.Reject(why, points, example);
    return true;
  }

  // The ticks are to tell one point of it.
  void Tell(std::string_view service) {
    if (told_.empty() || told_.back().first != service) told_.emplace_back(service, 0);
    ++told_.back().second;
  }

  using Found = std::optional<admit::KnownSeries::Place>;

  // Nothing: no label names its service. False: its labels are malformed.
  bool Find(const RemoteWriteRequest& request, const RemoteSeries& series, const Fingerprint& key,
            std::optional<std::string_view> ladder, Found& place) {
    if (const auto* known = known_.Find(key)) {
      place = *known;
      return true;
    }
    if (!request.LabelsOf(series, pairs_)) return false;
    place = Learn(series, key, ladder);
    return true;
  }

  struct Names {
    std::string_view service;
    std::string_view metric;
  };

  // Whose series has the labels `pairs_`, of which its other labels stay. Nothing: none names its
  // service.
  std::optional<Names> TakeNames() {
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
    if (service.empty()) return std::nullopt;
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
    return Names{service, metric};
  }

  // The series of `pairs_`; with a ladder it is a histogram's.
  Found Learn(const RemoteSeries& series, const Fingerprint& key,
              std::optional<std::string_view> ladder) {
    const auto names = TakeNames();
    if (!names) return std::nullopt;
    if (ladder && !ladder->empty()) pairs_.emplace_back(kLadderLabel, *ladder);
    const auto kind = ladder ? admit::SeriesKind::kHistogramCumulative
                             : types_.KindOf(names->metric, series.type);
    return known_.Add(key, names->service, kind, names->metric, pairs_);
  }

  std::string NoService() const {
    std::string out;
    for (const std::string& label : settings_.service_labels)
      out += (out.empty() ? "" : ", ") + label;
    return "no label of the series names its service; one of them must: " + out;
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

  // The present batch of a service, which has room for a point of so many bytes and for its series.
  RemoteBatch& BatchOf(const admit::KnownSeries::Place& place, std::size_t point_bytes) {
    if (place.service >= current_.size()) current_.resize(place.service + 1, kNone);
    std::uint32_t& current = current_[place.service];
    const std::size_t bytes = point_bytes + known_.RecordBytes(place);
    if (current == kNone || batches_[current].bytes() + bytes > core_.settings().record_bytes_max) {
      if (used_ == batches_.size()) batches_.emplace_back();
      current = static_cast<std::uint32_t>(used_++);
      batches_[current].Begin(place.service);
    }
    batches_[current].AddBytes(bytes);
    return batches_[current];
  }

  Core& core_;
  const Settings& settings_;
  std::mutex mutex_;
  PromTypes types_;
  admit::KnownSeries known_;
  std::size_t counted_ = 0;  // of its bytes, with the core

  RemoteWriteRequest::Pairs pairs_;
  NativeHistogram histogram_;
  std::deque<RemoteBatch> batches_;
  std::size_t used_ = 0;                // of them
  std::vector<std::uint32_t> current_;  // by service: its batch
  std::vector<ServicePoints> points_;
  admit::Admission refused_;
  std::vector<std::pair<std::string, std::uint64_t>> told_;
  std::uint64_t stale_markers_ = 0;
  std::vector<Exemplar> exemplars_;
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

void RemoteWrites::Write(Version version, std::string_view message, const rpc::Peer& peer,
                         std::string_view traceparent, const Done& done) {
  // What is no point; set before the one answer that it is about.
  const auto beside = std::make_shared<Answer>();
  Core::Done answered =
      core_.Heard(peer, Protocol::kRemoteWrite, message.size(),
                  [done, beside](const Result<WriteAnswer>& result) {
                    if (!result) return done(result.error());
                    done(Answer{*result, beside->stale_markers, beside->exemplars});
                  });
  std::unique_ptr<RemoteWriteRequest> request = Borrow();
  Sender& sender = SenderOf(peer);
  bool read = version == Version::k1 ? request->Read1(message) : request->Read2(message);
  if (read) {
    const std::lock_guard lock(sender.mutex());
    read = sender.Read(*request);
    if (read) {
      beside->stale_markers = sender.stale_markers();
      core_.CountStaleMarkers(beside->stale_markers);
      const SteadyTime now = std::chrono::steady_clock::now();
      for (Exemplar& exemplar : sender.exemplars())
        beside->exemplars += core_.Offer(peer, std::move(exemplar), now) ? 1 : 0;
      core_.Offered(now);
      core_.Take(sender.Input(message.size()), peer, traceparent, answered);
    }
    sender.End();
  }
  Return(std::move(request));
  if (!read) answered(InvalidError(version == Version::k1 ? kMalformed1 : kMalformed2));
}

}  // namespace liveops::ingest
