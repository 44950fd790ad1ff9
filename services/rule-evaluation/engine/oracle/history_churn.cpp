#include "services/rule-evaluation/engine/oracle/history_churn.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "common/base/labels.h"
#include "services/rule-evaluation/engine/oracle/history_silence.h"
#include "services/rule-evaluation/engine/oracle/random.h"

namespace liveops::engine::oracle {
namespace {

constexpr std::int64_t kTickMs = 1000;
constexpr std::int64_t kMinute = 60'000;

class Churn {
 public:
  Churn(History& history, std::int64_t from, std::int64_t to)
      : history_(history), random_(history.seed * 7 + 5), from_(from), to_(to) {}

  std::vector<HistoryRecord> Make() {
    PickPauses();
    Ticks();
    const auto known = static_cast<std::int64_t>(history_.series.size());
    const std::int64_t stay = random_.Below(4);
    const std::int64_t pods = random_.Between(10, 40);
    for (std::int64_t i = 0; i < stay + pods; ++i) {
      const std::size_t pod = NewPod(static_cast<std::size_t>(random_.Below(known)), i);
      if (i < stay) {
        Live(pod, from_ + 1500, to_);
        continue;
      }
      const std::int64_t born = from_ + 1500 + random_.Below(to_ - from_);
      const std::int64_t died = born + random_.Between(1, 10) * kMinute;
      Live(pod, born, died);
      const std::int64_t back = died + random_.Between(60, 120) * kMinute;
      if (random_.Chance(35)) Live(pod, back, back + random_.Between(1, 5) * kMinute);
    }
    return std::move(records_);
  }

 private:
  bool Stands(std::int64_t at) const {
    return std::any_of(pauses_.begin(), pauses_.end(),
                       [&](const auto& pause) { return at >= pause.first && at < pause.second; });
  }

  void PickPauses() {
    const std::int64_t count = random_.Of({0, 0, 1, 2});
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t at = random_.Between(from_, to_);
      pauses_.emplace_back(at, at + random_.Of({4, 8, 30}) * 1000);
    }
  }

  void Ticks() {
    const int refused = random_.Of({0, 0, 1, 4});
    for (std::int64_t at = from_; at < to_; at += kTickMs) {
      HistoryRecord tick;
      tick.at = at;
      tick.instance = "i";
      tick.restart = random_.Below(1500) == 0;
      if (random_.Below(8000) < refused) tick.refused_service = "shop";
      if (!Stands(at)) records_.push_back(tick);
    }
  }

  // As another, but for where it runs.
  std::size_t NewPod(std::size_t like, std::int64_t number) {
    HistorySeries s = history_.series[like];
    s.name = fmt::format("N{}", number);
    Labels labels(s.label_pairs);
    labels.Set("pod", fmt::format("n{}", number));
    s.labels = labels.Encode();
    s.label_pairs.assign(labels.begin(), labels.end());
    const char kind = static_cast<char>(s.kind);
    s.fingerprint =
        FingerprintOf(std::vector<std::string_view>{s.metric, s.unit, s.labels, {&kind, 1}});
    history_.series.push_back(s);
    return history_.series.size() - 1;
  }

  void Live(std::size_t series, std::int64_t from, std::int64_t to) {
    const std::int64_t interval = random_.Of({5, 20, 30, 60, 60, 300}) * 1000;
    const int late = random_.Of({0, 0, 10});
    // Nobody counts the same time twice: how the engine adds up what overlaps is an approximation.
    const bool durations = late == 0 && random_.Chance(50);
    std::int64_t said = -1;
    double total = static_cast<double>(random_.Below(1000));
    for (std::int64_t at = from; at < std::min(to, to_ - 1500); at += interval) {
      HistoryRecord batch;
      batch.kind = HistoryRecord::Kind::kBatch;
      batch.at = at + random_.Below(400);
      batch.emitter = "churn";
      if (Stands(batch.at)) continue;
      const std::int64_t behind = random_.Chance(late) ? random_.Between(20, 7200) * 1000 : 100;
      Speak(series, at - behind, interval, total, batch);
      HistoryPoint& point = batch.points.front();
      const bool delta = history_.series[series].kind == SeriesKind::kCounterDelta;
      if (durations && delta && said > 0) point.duration = point.time - said;
      said = point.time;
      records_.push_back(batch);
    }
  }

  void Speak(std::size_t series, std::int64_t time, std::int64_t interval, double& total,
             HistoryRecord& batch) {
    const bool bad = time / (20 * kMinute) % 2 == 0;  // so that alarms fire and recover
    const std::int64_t level = random_.Between(1, 30) * (bad ? 4 : 1);
    HistoryPoint p{series, time, 0, static_cast<double>(level), {}, {}};
    switch (history_.series[series].kind) {
      case SeriesKind::kCounterDelta:
        p.value = static_cast<double>(level * interval / 1000);
        break;
      case SeriesKind::kCounterCumulative:
        p.value = total += static_cast<double>(level * interval / 1000);
        break;
      case SeriesKind::kObservation:
        p.value = static_cast<double>(level * 20);
        break;
      case SeriesKind::kHistogramDelta:
      case SeriesKind::kHistogramCumulative:
        total += 1;
        p.bounds = {100, 250, 500, 1000};
        for (std::size_t i = 0; i < 5; ++i)
          p.counts.push_back(static_cast<std::uint64_t>(total) * (i + 1));
        break;
      default:
        break;
    }
    batch.points.push_back(p);
  }

  History& history_;
  Random random_;
  const std::int64_t from_;
  const std::int64_t to_;
  std::vector<std::pair<std::int64_t, std::int64_t>> pauses_;
  std::vector<HistoryRecord> records_;
};

}  // namespace

void AddChurn(History& history) {
  Random random(history.seed * 11 + 7);
  const std::int64_t end = history.records.back().at;
  const std::int64_t from = random.Between(end / 4, end * 3 / 4);
  const std::int64_t length = random.Between(120, 220) * kMinute;
  InsertTime(history, from, length, Churn(history, from, from + length).Make());
}

}  // namespace liveops::engine::oracle
