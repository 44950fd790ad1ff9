#include "services/liveopsctl/rehearse/player.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "common/base/hash.h"

namespace liveops::rehearse {
namespace {

// As ingest's ticks come.
constexpr Duration kTick{250};
// While nothing is there to be judged. Longer than 2 s would pass for a gap in the log.
constexpr Duration kTickSettling{1'000};

constexpr std::string_view kEmitter = "rehearsal";
constexpr std::uint64_t kSession = 1;
constexpr std::uint32_t kNotListed = std::numeric_limits<std::uint32_t>::max();

struct Known {
  std::string service;  // whose it is
  engine::SeriesKind kind = engine::SeriesKind::kGauge;
  std::string metric;
  std::string unit;
  std::string labels;
  Fingerprint fingerprint;
};

// The columns of one batch; what a view points into.
struct Columns {
  std::vector<engine::SeriesView> series;
  std::vector<std::uint32_t> point_series;
  std::vector<std::int64_t> deltas;
  std::vector<std::uint64_t> durations;
  std::vector<double> values;
  std::vector<engine::HistogramView> histograms;
};

}  // namespace

void Played::Clear() {
  points.clear();
  histograms.clear();
}

struct Player::Impl {
  Impl(std::string name, engine::Shard made) : service(std::move(name)), shard(std::move(made)) {}

  std::string service;
  std::string plan_text;
  engine::Shard shard;
  std::vector<Known> series;
  std::uint64_t batches = 0;
  Instant next_tick{};
  Instant now{};
  std::vector<engine::Transition> told;
  Columns columns;                    // reused
  std::vector<std::uint32_t> listed;  // by series: its place in the batch's list

  void Apply(Instant at, engine::RecordView record) {
    now = std::max(now, at);
    record.append_time = RealFromMs(ToMs(at));
    record.offset = shard.position() + 1;
    shard.Apply(record, told);
  }
  engine::RecordView Activation() const {
    engine::PlanActivationView plan;
    plan.service = service;
    plan.version = 1;
    plan.text = plan_text;
    engine::RecordView record;
    record.body = plan;
    return record;
  }
  void Tick(Duration step) {
    engine::TickView tick;
    tick.instance = kEmitter;
    tick.session = kSession;
    tick.steady_ms = ToMs(next_tick);
    engine::RecordView record;
    record.body = tick;
    Apply(next_tick, record);
    next_tick += step;
  }
  std::uint32_t Listed(std::uint32_t id) {
    listed.resize(series.size(), kNotListed);
    if (listed[id] == kNotListed) {
      listed[id] = static_cast<std::uint32_t>(columns.series.size());
      const Known& known = series[id];
      columns.series.push_back(
          {known.fingerprint, known.kind, known.metric, known.unit, known.labels});
    }
    return listed[id];
  }
  void Fill(const Played& played, std::string_view of);
  void Send(Instant at, std::string_view of);  // what was filled in
  // Each once.
  std::vector<std::string_view> ServicesIn(const Played& played) const;
};

std::vector<std::string_view> Player::Impl::ServicesIn(const Played& played) const {
  std::vector<std::string_view> services;
  const auto add = [&](std::uint32_t id) {
    const std::string_view of = series[id].service;
    if (std::find(services.begin(), services.end(), of) == services.end()) services.push_back(of);
  };
  for (const PlayedPoint& point : played.points) add(point.series);
  for (const PlayedHistogram& histogram : played.histograms) add(histogram.series);
  if (services.empty()) services.emplace_back(service);
  return services;
}

// Times are those of the batch: a record holds what one export brings of a service.
void Player::Impl::Fill(const Played& played, std::string_view of) {
  columns = {};
  std::fill(listed.begin(), listed.end(), kNotListed);
  for (const PlayedPoint& point : played.points) {
    if (series[point.series].service != of) continue;
    columns.point_series.push_back(Listed(point.series));
    columns.deltas.push_back(0);
    columns.durations.push_back(static_cast<std::uint64_t>(point.covers.count()));
    columns.values.push_back(point.value);
  }
  for (const PlayedHistogram& histogram : played.histograms) {
    if (series[histogram.series].service != of) continue;
    engine::HistogramView view;
    view.series = Listed(histogram.series);
    view.duration_ms = static_cast<std::uint64_t>(histogram.covers.count());
    view.sum = histogram.sum;
    for (const std::uint64_t n : histogram.counts) view.count += n;
    view.bounds = histogram.bounds;
    view.bucket_counts = histogram.counts;
    columns.histograms.push_back(view);
  }
}

Player::Player(std::string service, std::string_view plan_text, Instant begin)
    : impl_(std::make_unique<Impl>(std::move(service), engine::Shard(TimeMap{}, {}))) {
  impl_->plan_text = plan_text;
  impl_->next_tick = begin;
  impl_->Tick(kTick);
  impl_->Apply(begin, impl_->Activation());
}

Player::Player(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Player::~Player() = default;
Player::Player(Player&&) noexcept = default;
Player& Player::operator=(Player&&) noexcept = default;

void Player::Settle(Duration length) {
  const Instant end = impl_->now + length;
  while (impl_->next_tick < end) impl_->Tick(std::min(kTickSettling, end - impl_->next_tick));
  impl_->next_tick = end;
  impl_->Tick(kTick);
}

Result<Player> Player::Fork() const {
  Result<engine::Shard> shard = engine::Shard::Restore(impl_->shard.Snapshot(), TimeMap{}, {});
  if (!shard.ok()) return shard.error();
  auto copy = std::make_unique<Impl>(impl_->service, std::move(*shard));
  copy->plan_text = impl_->plan_text;
  copy->series = impl_->series;
  copy->batches = impl_->batches;
  copy->next_tick = impl_->next_tick;
  copy->now = impl_->now;
  copy->told = impl_->told;
  return Player(std::move(copy));
}

std::uint32_t Player::AddSeries(engine::SeriesKind kind, std::string_view metric,
                                std::string_view unit, std::string_view labels,
                                std::string_view service) {
  Known known{std::string(service.empty() ? std::string_view(impl_->service) : service),
              kind,
              std::string(metric),
              std::string(unit),
              std::string(labels),
              {}};
  const std::string kind_text = std::to_string(static_cast<int>(kind));
  const std::array<std::string_view, 5> parts{known.service, metric, kind_text, unit, labels};
  known.fingerprint = FingerprintOf(parts);
  impl_->series.push_back(std::move(known));
  return static_cast<std::uint32_t>(impl_->series.size() - 1);
}

void Player::Advance(Instant to) {
  while (impl_->next_tick <= to) impl_->Tick(kTick);
  impl_->now = std::max(impl_->now, to);
}

void Player::Feed(Instant at, const Played& played) {
  Advance(at);
  for (const std::string_view service : impl_->ServicesIn(played)) {
    impl_->Fill(played, service);
    impl_->Send(at, service);
  }
}

void Player::Impl::Send(Instant at, std::string_view of) {
  engine::BatchView batch;
  batch.service = of;
  batch.base_time_ms = ToMs(at);
  batch.series = columns.series;
  batch.point_series = columns.point_series;
  batch.point_time_delta_ms = columns.deltas;
  batch.point_duration_ms = columns.durations;
  batch.point_value = columns.values;
  batch.histograms = columns.histograms;
  engine::RecordView record;
  record.source = {kEmitter, kSession, ++batches};
  record.body = batch;
  Apply(at, record);
}

std::vector<engine::Transition> Player::Take() { return std::exchange(impl_->told, {}); }

const engine::Shard& Player::shard() const { return impl_->shard; }

}  // namespace liveops::rehearse
