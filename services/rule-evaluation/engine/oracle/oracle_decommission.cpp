// "Series whose labels have the given pairs leave at once: their silence is no loss. One that
// speaks again is back."
#include <algorithm>

#include "services/rule-evaluation/engine/oracle/oracle.h"

namespace liveops::engine::oracle {
namespace {

constexpr std::int64_t kFutureMs = 10'000;

bool Has(const Labels& labels, const Labels& pairs) {
  for (const auto& [name, value] : pairs) {
    const std::string* own = labels.Find(name);
    if (own == nullptr || *own != value) return false;
  }
  return true;
}

}  // namespace

bool Oracle::Reads(std::size_t series) const {
  for (const auto& watch : watches_) {
    for (const MemberBook& m : watch->members) {
      if (m.series == series) return true;
    }
    for (const SpeakerBook& speaker : watch->speakers) {
      if (speaker.series == series) return true;
    }
  }
  return false;
}

void Oracle::Decommission(const DecommissionView& view) {
  const Labels pairs = Labels::Decode(view.labels).value();
  decommissions_.emplace_back(pairs, time_.now());
  for (std::size_t i = 0; i < points_.size(); ++i) {
    SeriesBook& series = points_.at(i);
    if (!Has(series.labels, pairs) || !Reads(i)) continue;
    series.left =
        std::max({time_.now(), series.Newest(), series.left ? *series.left : time_.now()});
  }
  for (const auto& watch : watches_) {
    DropAllGauges(*watch);
    if (watch->counts_itself()) continue;
    std::vector<GroupBook*> groups;
    for (const auto& group : watch->groups) groups.push_back(group.get());
    for (GroupBook* group : groups) Leave(*watch, *group, pairs);
  }
}

// Reading: a group leaves when all that its own tests read has left; where its labels are those of
// the report nobody else can be in it.
void Oracle::Leave(Watch& watch, GroupBook& group, const Labels& pairs) {
  std::size_t here = 0;
  std::size_t left = 0;
  for (std::size_t t = 0; t < watch.tests(); ++t) {
    if (!watch.own(t)) continue;
    for (const MemberBook* m : Members(watch, group, t)) {
      ++here;
      left += points_.at(m->series).left ? 1 : 0;
    }
  }
  if (!Has(group.labels, pairs) && (here == 0 || left < here)) return;
  const auto word = group.life.Leave();
  for (LevelBook& level : group.levels) level.life = AlarmLife();
  Finding f;
  f.at = time_.now();
  f.value = group.last.value;
  f.shown = group.last.shown;
  f.points = group.last.points;
  if (word) Tell(watch, group, {word->state, "decommissioned", word->before}, f);
  group.last = Finding();
  group.asleep = true;
  std::erase_if(watch.departed, [&](const MemberBook& m) {
    return watch.own(m.test) && m.labels == group.labels && !m.past;
  });
  Forget(watch, group);
}

// Reading: what is dated from before it left, and comes later, is what it said before; the record
// that brings a newer point brings it back with all that it says.
void Oracle::Recall(std::size_t id, std::size_t entry, const BatchView& batch) {
  SeriesBook& series = points_.at(id);
  const auto speaks = [&](std::int64_t after) {
    const auto counts = [&](std::uint32_t of, std::int64_t delta) {
      const std::int64_t time = batch.base_time_ms + delta;
      return of == entry && time > after && time <= time_.now() + kFutureMs;
    };
    for (std::size_t i = 0; i < batch.point_series.size(); ++i) {
      if (counts(batch.point_series[i], batch.point_time_delta_ms[i])) return true;
    }
    for (const HistogramView& h : batch.histograms) {
      if (counts(h.series, h.time_delta_ms)) return true;
    }
    return false;
  };
  if (series.left) {
    if (speaks(*series.left)) series.left.reset();
    return;
  }
  for (auto it = decommissions_.rbegin(); it != decommissions_.rend(); ++it) {
    if (!Has(series.labels, it->first)) continue;
    if (series.Newest() <= it->second && !speaks(it->second)) series.left = it->second;
    return;
  }
}

}  // namespace liveops::engine::oracle
