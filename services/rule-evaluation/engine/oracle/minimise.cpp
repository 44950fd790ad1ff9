#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "services/rule-evaluation/engine/oracle/comparison.h"

namespace liveops::engine::oracle {
namespace {

// Leaves out what the difference does not need.
class Minimiser {
 public:
  explicit Minimiser(History history)
      : history_(std::move(history)), kind_(Compare(history_).kind) {}
  History Run();

 private:
  bool Stays(const History& history) const {
    const Comparison c = Compare(history);
    return !c.ok() && c.kind == kind_;
  }
  template <typename Change>
  void Try(Change change) {
    History shorter = history_;
    change(shorter);
    if (Stays(shorter)) history_ = std::move(shorter);
  }
  // Ever smaller runs of `size` things.
  template <typename Without>
  void Shrink(std::size_t size, Without without);
  void Cut();

  History history_;
  std::string kind_;
};

template <typename Without>
void Minimiser::Shrink(std::size_t size, Without without) {
  for (std::size_t run = std::max<std::size_t>(size / 2, 1); size > 0; run /= 2) {
    for (std::size_t at = 0; at < size;) {
      const std::size_t taken = std::min(run, size - at);
      History shorter = without(history_, at, taken);
      if (Stays(shorter)) {
        history_ = std::move(shorter);
        size -= taken;
      } else {
        at += taken;
      }
    }
    if (run == 1) return;
  }
}

void Minimiser::Cut() {
  const Comparison c = Compare(history_);
  history_.records.resize(std::min(history_.records.size(), c.record + 1));
}

bool Keeps(const HistoryRecord& record) {
  return record.kind == HistoryRecord::Kind::kTick && !record.goodbye;
}

std::size_t CountBatches(const History& history) {
  return static_cast<std::size_t>(std::count_if(history.records.begin(), history.records.end(),
                                                [](const HistoryRecord& r) { return !Keeps(r); }));
}

History WithoutBatches(const History& history, std::size_t at, std::size_t taken) {
  History shorter = history;
  std::size_t index = 0;
  std::erase_if(shorter.records, [&](const HistoryRecord& r) {
    if (Keeps(r)) return false;
    const std::size_t i = index++;
    return i >= at && i < at + taken;
  });
  return shorter;
}

History WithoutSeries(const History& history, std::size_t at, std::size_t taken) {
  History shorter = history;
  for (HistoryRecord& r : shorter.records) {
    std::erase_if(r.points,
                  [&](const HistoryPoint& p) { return p.series >= at && p.series < at + taken; });
  }
  std::erase_if(shorter.records, [](const HistoryRecord& r) {
    return r.kind == HistoryRecord::Kind::kBatch && r.points.empty();
  });
  return shorter;
}

std::string NameOf(const std::string& alarm) { return alarm.substr(0, alarm.find(',')); }

std::vector<std::string> AlarmNames(const History& history) {
  std::vector<std::string> names;
  for (const HistoryRecord& r : history.records) {
    for (const std::string& alarm : r.alarms) {
      if (std::find(names.begin(), names.end(), NameOf(alarm)) == names.end())
        names.push_back(NameOf(alarm));
    }
  }
  return names;
}

History Minimiser::Run() {
  Cut();
  for (const std::string& name : AlarmNames(history_)) {
    Try([&](History& h) {
      for (HistoryRecord& r : h.records)
        std::erase_if(r.alarms, [&](const std::string& alarm) { return NameOf(alarm) == name; });
    });
  }
  Try([](History& h) {
    std::erase_if(h.records, [](const HistoryRecord& r) {
      return r.kind == HistoryRecord::Kind::kTick && r.instance != "i";
    });
  });
  Try([](History& h) {
    for (HistoryRecord& r : h.records) r.accepting = true;
  });
  Try([](History& h) {
    for (HistoryRecord& r : h.records) r.refused_service.clear();
  });
  Try([](History& h) {
    for (HistoryRecord& r : h.records) r.restart = false;
  });
  Shrink(history_.series.size(), WithoutSeries);
  Shrink(CountBatches(history_), WithoutBatches);
  Cut();
  return std::move(history_);
}

}  // namespace

History Minimise(History history) { return Minimiser(std::move(history)).Run(); }

}  // namespace liveops::engine::oracle
