#include "services/rule-evaluation/engine/oracle/history_silence.h"

#include <algorithm>
#include <string>
#include <utility>

#include "services/rule-evaluation/engine/oracle/history_churn.h"
#include "services/rule-evaluation/engine/oracle/random.h"

namespace liveops::engine::oracle {
namespace {

constexpr std::int64_t kTickMs = 1000;  // silence has no need of more

void Shift(HistoryRecord& record, std::int64_t by) {
  record.at += by;
  for (HistoryPoint& p : record.points) p.time += by;
}

// What the one says that does not fall silent, each minute or so.
void Speak(const History& history, Random& random, std::int64_t from, std::int64_t to,
           std::vector<HistoryRecord>& records) {
  const auto series =
      static_cast<std::size_t>(random.Below(static_cast<std::int64_t>(history.series.size())));
  const SeriesKind kind = history.series[series].kind;
  if (kind != SeriesKind::kGauge && kind != SeriesKind::kCounterDelta) return;
  for (std::int64_t at = from; at < to; at += random.Between(20'000, 90'000)) {
    HistoryRecord batch;
    batch.kind = HistoryRecord::Kind::kBatch;
    batch.at = at;
    batch.emitter = "survivor";
    batch.points.push_back({series, at - 100, 0, static_cast<double>(random.Below(100)), {}, {}});
    records.push_back(batch);
  }
}

}  // namespace

void SortByTime(History& history) {
  std::stable_sort(history.records.begin(), history.records.end(),
                   [](const HistoryRecord& a, const HistoryRecord& b) { return a.at < b.at; });
}

void InsertTime(History& history, std::int64_t from, std::int64_t length,
                std::vector<HistoryRecord> between) {
  auto& records = history.records;
  const auto later = [&](const HistoryRecord& record) { return record.at > from; };
  const auto first = std::find_if(records.begin(), records.end(), later);
  std::for_each(first, records.end(), [&](HistoryRecord& record) { Shift(record, length); });
  records.insert(first, between.begin(), between.end());
  SortByTime(history);
}

namespace {

// Drawn apart from all else.
void AddLongSilence(History& history) {
  Random random(history.seed * 5 + 3);
  if (!random.Chance(5)) return;
  const auto& records = history.records;
  const std::int64_t from = random.Between(records.back().at / 4, records.back().at * 3 / 4);
  const std::int64_t length = random.Between(3'000'000, 4'800'000);
  std::vector<HistoryRecord> between;
  for (std::int64_t at = from; at < from + length; at += kTickMs) {
    HistoryRecord tick;
    tick.at = at;
    tick.instance = "i";
    tick.restart = random.Below(900) == 0;
    between.push_back(tick);
  }
  if (random.Chance(50)) Speak(history, random, from + 1500, from + length - 1500, between);
  InsertTime(history, from, length, std::move(between));
}

}  // namespace

History MakeHistory(std::uint64_t seed) {
  if (Random(seed * 17 + 3).Chance(4)) return MakeHistoryWithChurn(seed);
  History history = MakeHistoryOfMinutes(seed);
  AddLongSilence(history);
  return history;
}

History MakeHistoryWithChurn(std::uint64_t seed) {
  History history = MakeHistoryOfMinutes(seed);
  AddLongSilence(history);
  AddChurn(history);
  return history;
}

}  // namespace liveops::engine::oracle
