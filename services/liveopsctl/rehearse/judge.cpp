#include "services/liveopsctl/rehearse/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/base/text.h"

namespace liveops::rehearse {
namespace {

using engine::AlarmView;
using engine::Transition;

constexpr std::size_t kExplanationsMax = 3;

std::string Got(const Transition& told, Instant begin) {
  return FormatDuration(told.clock - begin) + " " + ToldText(told);
}

// A label of the group in `service/name{a="b",c="d"}`. Quotes inside values are escaped there, so
// that nothing but a label looks like one.
bool HasLabel(const std::string& alarm_id, const std::string& name, const std::string& value) {
  Labels one;
  one.Set(name, value);
  const std::string braced = one.ToString();
  const std::string label = braced.substr(1, braced.size() - 2);
  return alarm_id.find("{" + label) != std::string::npos ||
         alarm_id.find("," + label) != std::string::npos;
}

bool Concerns(const Expected& expected, const AlarmView& view) {
  if (view.name != expected.alarm) return false;
  return std::all_of(expected.labels.begin(), expected.labels.end(), [&](const auto& label) {
    return HasLabel(view.alarm_id, label.first, label.second);
  });
}

std::vector<const AlarmView*> ViewsOf(const Expected& expected, Duration at, const Views& views) {
  std::vector<const AlarmView*> found;
  const auto moment = views.find(at);
  if (moment == views.end()) return found;
  for (const AlarmView& view : moment->second) {
    if (Concerns(expected, view)) found.push_back(&view);
  }
  return found;
}

std::string Explain(const Expected& expected, const Views& views) {
  const Duration at = expected.at + expected.within;
  std::vector<std::string> lines;
  for (const AlarmView* view : ViewsOf(expected, at, views)) {
    if (lines.size() == kExplanationsMax) break;
    lines.push_back(fmt::format("at {} {} is {}: {}", FormatDuration(at),
                                NameWithGroup(view->alarm_id), engine::AlarmStateName(view->state),
                                view->explanation));
  }
  return fmt::format("{}", fmt::join(lines, "\n"));
}

Discrepancy Missing(Discrepancy::Kind kind, const Expected& expected, const Views& views) {
  return {kind, expected.line,           expected.at, expected.AlarmText(), expected.Text(),
          "",   Explain(expected, views)};
}

Discrepancy Unexpected(Discrepancy::Kind kind, const Transition& told, Instant begin) {
  return {kind, 0, told.clock - begin, NameWithGroup(told.alarm_id), "", Got(told, begin), ""};
}

// Which transition each expectation means, and what is left over.
class Matching {
 public:
  Matching(std::span<const Expected> expected, std::span<const Transition> told, Instant begin)
      : expected_(expected), told_(told), begin_(begin), taken_(told.size(), false) {
    for (const Expected& e : expected_) found_.push_back(First(e));
  }

  bool found(std::size_t i) const { return found_[i] < told_.size(); }
  bool taken(std::size_t k) const { return taken_[k]; }

  // The one that was perhaps meant by an expectation that was not met: of the same alarm, of the
  // same state rather than another, and the nearest in time. It is then spoken for.
  const Transition* Nearest(const Expected& expected) {
    std::size_t best = told_.size();
    const auto rank = [&](std::size_t k) {
      const bool other = expected.state && *expected.state != told_[k].state;
      return std::pair(other, std::abs((told_[k].clock - begin_ - expected.at).count()));
    };
    for (std::size_t k = 0; k < told_.size(); ++k) {
      if (taken_[k] || !expected.SameAlarm(told_[k].name, told_[k].group)) continue;
      if (best == told_.size() || rank(k) < rank(best)) best = k;
    }
    if (best == told_.size() || rank(best).first) return nullptr;
    taken_[best] = true;
    return &told_[best];
  }

 private:
  std::size_t First(const Expected& expected) {
    for (std::size_t k = 0; k < told_.size(); ++k) {
      const Transition& t = told_[k];
      if (taken_[k] || !expected.SameAlarm(t.name, t.group) || !expected.InTime(t.clock - begin_) ||
          !expected.Differs(t).empty())
        continue;
      taken_[k] = true;
      return k;
    }
    return told_.size();
  }

  std::span<const Expected> expected_;
  std::span<const Transition> told_;
  Instant begin_;
  std::vector<bool> taken_;
  std::vector<std::size_t> found_;
};

void JudgeTransitions(const PlanTest& test, std::span<const Transition> told, const Views& views,
                      Instant begin, std::vector<Discrepancy>& out) {
  Matching matching(test.expect, told, begin);
  for (std::size_t i = 0; i < test.expect.size(); ++i) {
    if (matching.found(i)) continue;
    Discrepancy missing = Missing(Discrepancy::Kind::kTransition, test.expect[i], views);
    if (const Transition* near = matching.Nearest(test.expect[i])) missing.got = Got(*near, begin);
    out.push_back(std::move(missing));
  }
  for (std::size_t k = 0; k < told.size(); ++k) {
    if (matching.taken(k) || test.only_listed || told[k].purpose != engine::Purpose::kPage)
      continue;
    out.push_back(Unexpected(Discrepancy::Kind::kTransition, told[k], begin));
  }
}

void JudgeLooks(const PlanTest& test, const Views& views, std::vector<Discrepancy>& out) {
  for (const Expected& look : test.looks) {
    const auto seen = ViewsOf(look, look.at, views);
    if (seen.empty()) {
      out.push_back(Missing(Discrepancy::Kind::kLook, look, views));
      out.back().explanation = "no group of the alarm has these labels at that moment";
    }
    for (const AlarmView* view : seen) {
      const std::string differs = look.Differs(*view);
      if (differs.empty()) continue;
      Discrepancy wrong = Missing(Discrepancy::Kind::kLook, look, views);
      wrong.alarm = NameWithGroup(view->alarm_id);
      wrong.got = differs;
      wrong.explanation = view->explanation;
      out.push_back(std::move(wrong));
    }
  }
}

}  // namespace

std::vector<Discrepancy> JudgePages(std::span<const Expected> expected,
                                    std::span<const Transition> told, const Views& views,
                                    Instant begin) {
  std::vector<Discrepancy> out;
  std::size_t next = 0;  // of told: pages come in the order of the list
  const auto fits = [&](const Expected& e, const Transition& t) {
    return IsPage(t) && e.SameAlarm(t.name, t.group) && e.InTime(t.clock - begin) &&
           e.Differs(t).empty();
  };
  const auto surplus = [&](std::size_t end) {
    for (; next < end; ++next) {
      if (IsPage(told[next]))
        out.push_back(Unexpected(Discrepancy::Kind::kPage, told[next], begin));
    }
  };
  for (const Expected& e : expected) {
    std::size_t k = next;
    while (k < told.size() && !fits(e, told[k])) ++k;
    if (k == told.size()) {
      out.push_back(Missing(Discrepancy::Kind::kPage, e, views));
      continue;
    }
    surplus(k);
    next = k + 1;
  }
  surplus(told.size());
  return out;
}

std::vector<Discrepancy> Judge(const PlanTest& test, std::span<const Transition> told,
                               const Views& views, Instant begin) {
  std::vector<Discrepancy> out;
  JudgeTransitions(test, told, views, begin, out);
  if (test.pages) {
    for (Discrepancy& page : JudgePages(*test.pages, told, views, begin))
      out.push_back(std::move(page));
  }
  JudgeLooks(test, views, out);
  std::stable_sort(out.begin(), out.end(),
                   [](const Discrepancy& a, const Discrepancy& b) { return a.at < b.at; });
  return out;
}

}  // namespace liveops::rehearse
