#include "services/rule-evaluation/engine/oracle/oracle.h"

#include <algorithm>
#include <cmath>

namespace liveops::engine::oracle {
namespace {

constexpr std::int64_t kStallMaxMs = 10'000;  // a stall that is longer is a hole
constexpr std::int64_t kCatchUpMs = 2000;     // so long after a stall what was queued may come
constexpr std::int64_t kAliveMs = 600'000;    // before a gap: is awaited after it

bool Selects(const plan::Operand& operand, const SeriesBook& series) {
  const bool counted = operand.aggregate == plan::Aggregate::kDistinct;
  const std::string* label = counted ? series.labels.Find(operand.label) : nullptr;
  if (counted && (label == nullptr || label->empty())) return false;
  return series.metric == operand.metric && Fits(series.kind, operand.aggregate) &&
         std::all_of(operand.matches.begin(), operand.matches.end(), [&](const auto& match) {
           const std::string* value = series.labels.Find(match.name);
           return ((value == nullptr ? "" : *value) == match.value) != match.negate;
         });
}

}  // namespace

bool Fits(SeriesKind kind, plan::Aggregate aggregate) {
  const bool gauge = kind == SeriesKind::kGauge;
  const bool counter = kind == SeriesKind::kCounterDelta || kind == SeriesKind::kCounterCumulative;
  switch (aggregate) {
    case plan::Aggregate::kRate:
    case plan::Aggregate::kIncrease:
      return !gauge;
    case plan::Aggregate::kLast:
      return gauge || counter || kind == SeriesKind::kObservation;
    case plan::Aggregate::kQuantile:
      return !counter;
    case plan::Aggregate::kAvg:
    case plan::Aggregate::kMin:
    case plan::Aggregate::kMax:
    case plan::Aggregate::kStddev:
    case plan::Aggregate::kSum:
    case plan::Aggregate::kCount:
    case plan::Aggregate::kDistinct:
      return true;
  }
  return false;
}

Labels Pick(const std::vector<std::string>& by, const Labels& labels) {
  Labels picked;
  for (const std::string& name : by) {
    const std::string* value = labels.Find(name);
    picked.Set(name, value == nullptr ? "" : *value);
  }
  return picked;
}

void GroupBook::Note(Finding f) {
  if (std::isnan(f.value)) {
    f.value = last.value;  // the last known one
    f.shown = last.shown;
  }
  last = f;
}

// Reading: what the watermark has passed is judged before what the record says is taken.
void Oracle::Apply(const RecordView& record, std::vector<Expected>& out) {
  offset_ = record.offset;
  out_ = &out;
  if (const Time::Stall stall = time_.Advance(record)) Stood(stall);
  if (time_.now() >= frozen_until_) {
    for (const auto& watch : watches_) JudgeDue(*watch);
    JudgeSliced();
  }
  ForgetQuiet();
  if (const auto* tick = std::get_if<TickView>(&record.body)) {
    time_.OnTick(*tick);
    for (const auto& [service, points] : tick->refused_points) {
      if (service == "shop" && points > 0) refused_ = time_.now();
    }
    if (tick->refused_any_service) refused_ = time_.now();
    // Reading: what a tick tells of was refused in the 2 s before it.
    if (refused_ == time_.now()) holes_.push_back({refused_ - kCatchUpMs, refused_});
  } else if (const auto* plan = std::get_if<PlanActivationView>(&record.body)) {
    ActivatePlan(*plan);
  } else if (const auto* marker = std::get_if<DecommissionView>(&record.body)) {
    Decommission(*marker);
  } else if (const auto* batch = std::get_if<BatchView>(&record.body)) {
    if (!points_.Repeated(record)) Take(record, *batch);
  }
  Housekeep();
  for (const auto& watch : watches_) CheckOverflow(*watch);
}

// "A gap ends when every series seen in the window before has reported again, or after 2 min."
// Reading: the window before is ten minutes. After a short stall the watermark waits 2 s for what
// was queued; a long one leaves a hole: nothing is judged in it, and no hold counts it.
void Oracle::Stood(const Time::Stall& stall) {
  std::set<std::size_t> awaited;
  for (const auto& watch : watches_) {
    const auto await = [&](std::size_t series) {
      const SeriesBook& book = points_.at(series);
      if (book.kind == SeriesKind::kSlices) return;
      if (!book.left && book.named >= stall.from - kAliveMs) awaited.insert(series);
    };
    for (const MemberBook& m : watch->members) await(m.series);
    for (const SpeakerBook& speaker : watch->speakers) await(speaker.series);
  }
  time_.Await(std::move(awaited));
  holes_.push_back({stall.from, stall.to});
  if (stall.length() <= kStallMaxMs) {
    soft_from_ = stall.to;
    frozen_until_ = stall.to + kCatchUpMs;
    return;
  }
  hard_from_ = stall.to;
  for (const auto& watch : watches_) {
    const std::int64_t step = watch->StepMs();
    watch->judged = std::max(watch->judged, (stall.to - LatenessOf(*watch)) / step * step);
    for (const auto& group : watch->groups) {
      group->life.Skip(stall.length());
      for (LevelBook& level : group->levels) level.life.Skip(stall.length());
    }
  }
}

// --- points ---

void Oracle::Name(Watch& watch, std::size_t series) {
  const SeriesBook& book = points_.at(series);
  for (std::size_t t = 0; t < watch.tests(); ++t) {
    if (watch.counts(t)) {
      NameSpeaker(watch, t, series);
      continue;
    }
    for (std::size_t o = 0; o < watch.test(t).measure.operands.size(); ++o) {
      if (!Selects(watch.test(t).measure.operands[o], book)) continue;
      const auto known = [&](const MemberBook& m) {
        return m.series == series && m.test == t && m.operand == o && !m.past;
      };
      const auto member = std::find_if(watch.members.begin(), watch.members.end(), known);
      const bool feeds = member != watch.members.end();
      if (feeds && member->forgotten && !book.left) Return(watch, *member);
      const Labels labels = Pick(watch.test(t).by, book.labels);
      if (!feeds && book.left) continue;
      if (!feeds && watch.own(t) && !HasRoom(watch, labels)) continue;
      watch.lateness = std::max(watch.lateness, LatenessFor(watch, book.slowest));
      if (!feeds) watch.members.push_back({series, t, o, labels, false, {}});
      // Each leaves the present and the past by itself.
      const auto remembered = [&](const MemberBook& m) {
        return m.series == series && m.test == t && m.operand == o && m.past;
      };
      const auto past = std::find_if(watch.members.begin(), watch.members.end(), remembered);
      if (past != watch.members.end() && past->forgotten && !book.left) Return(watch, *past);
      if (watch.test(t).IsCompared() && past == watch.members.end())
        watch.members.push_back({series, t, o, labels, true, {}});
      if (feeds || !watch.own(t)) continue;
      const auto same = [&](const auto& group) { return group->labels == labels; };
      if (std::any_of(watch.groups.begin(), watch.groups.end(), same)) continue;
      watch.groups.push_back(std::make_unique<GroupBook>());
      watch.groups.back()->labels = labels;
      watch.groups.back()->levels.resize(watch.alarm.levels.size());
    }
  }
}

// "Points behind the watermark are counted and shown, never a transition."
// Reading: behind what was judged already; the watermark goes in the steps of the judgements.
void Oracle::Take(const RecordView& record, const BatchView& batch) {
  for (const SeriesView& view : batch.series) {
    const auto known = points_.Known(view.fingerprint);
    if (known && IsForgotten(*known)) points_.Forget(*known);
  }
  const std::vector<std::size_t> named = points_.Name(batch, time_.now());
  for (std::size_t entry = 0; entry < named.size(); ++entry) {
    const std::size_t series = named[entry];
    Recall(series, entry, batch);
    time_.OnSeries(series);
    for (const auto& watch : watches_) Name(*watch, series);
  }
  const std::vector<Points::Ref> refs = points_.Take(record, batch, time_.now());
  for (const auto& watch : watches_) {
    std::map<Labels, Touches> touches;
    for (const Points::Ref& ref : refs) {
      const Point& p = points_.at(ref);
      for (MemberBook& m : watch->members) {
        if (m.series != ref.series || m.forgotten) continue;
        if (p.time <= watch->judged) {
          points_.at(ref.series).unusable = time_.now();
          break;
        }
        m.points.push_back(ref.point);
        m.gone = false;
        for (const auto& group : watch->groups) {
          if (watch->own(m.test) && group->labels == m.labels) group->asleep = false;
        }
        if (p.baseline || m.past || !watch->own(m.test)) continue;
        Touch& touch = touches[m.labels][m.test];
        touch.from = std::min(touch.from, p.time);
        touch.to = std::max(touch.to, p.time);
        touch.operands.insert(m.operand);
      }
    }
    for (const auto& [labels, touch] : touches) {
      for (const auto& group : watch->groups) {
        if (eager_ && group->labels == labels) JudgeTouched(*watch, *group, touch);
      }
    }
  }
}

// --- judging ---

// "Fire eagerly." Reading: when the record brought something to a test that may be called true so.
void Oracle::JudgeTouched(Watch& watch, GroupBook& group, const Touches& touches) {
  if (watch.slice > 0) return;
  std::int64_t newest = INT64_MIN;
  bool upward = false;
  for (const auto& [test, touch] : touches) {
    newest = std::max(newest, touch.to);
    upward |= Upward(watch.test(test).op);
  }
  if (!upward) return;
  const Finding f = Decide(watch, group, newest, &touches);
  if (f.truth != Truth::kTrue) return;
  if (const auto word = Step(watch, group, f)) Tell(watch, group, *word, f);
  group.Note(f);
}

// "Everything is judged again at the watermark."
void Oracle::JudgeDue(Watch& watch) {
  if (watch.slice > 0 || watch.of_slices) return;
  while (watch.judged + watch.StepMs() <= time_.now() - LatenessOf(watch)) JudgeStep(watch);
}

void Oracle::JudgeStep(Watch& watch) {
  watch.judged += watch.StepMs();
  DropAllGauges(watch);
  std::vector<GroupBook*> groups;
  for (const auto& group : watch.groups) {
    if (!group->asleep) groups.push_back(group.get());
  }
  if (watch.when().top > 0) Rank(watch, watch.judged);
  for (GroupBook* group : groups) Judge(watch, *group, watch.judged);
}

void Oracle::DropAllGauges(Watch& watch) const {
  for (std::size_t t = 0; t < watch.tests(); ++t) {
    for (const bool past : {false, true}) {
      std::set<Labels> kept_apart;
      for (const MemberBook& m : watch.members) {
        if (m.test == t && m.past == past) kept_apart.insert(m.labels);
      }
      for (const Labels& labels : kept_apart) DropGauges(watch, t, past, labels, watch.judged);
    }
  }
}

void Oracle::Judge(Watch& watch, GroupBook& group, std::int64_t end) {
  Finding f = Decide(watch, group, end, nullptr);
  const bool no_value = std::isnan(f.value) && f.truth == Truth::kUnknown;
  const bool nobody = no_value && !HasPrimaries(watch, group);
  if (no_value && !f.counts_nothing && Silent(watch, group, end)) {
    Silence(watch, group, f);
    return;
  }
  if (const auto word = Step(watch, group, f)) Tell(watch, group, *word, f);
  group.Note(f);
  group.asleep = group.life.state == AlarmState::kOk && nobody && !watch.counts_itself();
}

// Reading: an alarm that stands at ok is not judged while it is known to be silent: then a point
// that comes too late cannot make an old one count again.
void Oracle::Silence(Watch& watch, GroupBook& group, Finding f) {
  std::optional<Word> word;
  const bool leaves = watch.alarm.no_data == plan::NoData::kKeep && Leaves(watch, group);
  // Reading: silence is no word about how bad it is. What was reached stays; how long it was clear,
  // or on its way, begins anew, as with the alarm.
  const bool fires = watch.alarm.no_data == plan::NoData::kFire;
  for (LevelBook& level : group.levels) {
    if (fires && !level.life.open()) level.life = AlarmLife();
    if (fires || group.life.flaps) level.life.clear_since.reset();
  }
  if (fires) {
    if (!group.life.open()) {
      for (LevelBook& level : group.levels) level.life = AlarmLife();
      group.told.reset();
    }
    word = group.life.FallSilent(watch.Rules(0), f.at, time_.now());
  } else {
    group.life.Hush();
  }
  if (leaves) {
    word = group.life.Leave();
    for (LevelBook& level : group.levels) level.life = AlarmLife();
    f.value = group.last.value;
  }
  if (word) Tell(watch, group, *word, f);
  group.Note(f);
  group.asleep = group.life.state == AlarmState::kOk && !watch.counts_itself();
  if (leaves) Forget(watch, group);
}

// The group is no more, or begins anew.
void Oracle::Forget(Watch& watch, const GroupBook& group) {
  std::erase_if(watch.members, [&](const MemberBook& m) {
    // "A group told apart by labels that leaves takes its past with it."
    return watch.own(m.test) && m.labels == group.labels && (!m.past || !group.labels.empty());
  });
  if (!group.labels.empty()) {
    std::erase_if(watch.departed, [&](const MemberBook& m) {
      return watch.own(m.test) && m.labels == group.labels;
    });
  }
  if (!group.labels.empty())
    std::erase_if(watch.groups, [&](const auto& g) { return g.get() == &group; });
}

void Oracle::Tell(const Watch& watch, const GroupBook& group, const Word& word, const Finding& f) {
  Transition t;
  t.service = "shop";
  t.name = watch.alarm.name;
  t.group = group.labels;
  t.alarm_id = AlarmId(t.service, t.name, t.group);
  t.episode = InstantFromMs(group.life.episode);
  t.step = group.life.step;
  t.state = word.state;
  t.reason = word.reason;
  t.value = f.value;
  t.threshold = watch.test(f.shown).threshold;
  t.purpose = watch.alarm.page ? Purpose::kPage : Purpose::kRecord;
  t.severity = group.told.value_or(watch.alarm.severity);
  t.severity_before = word.before;
  t.swings = group.life.swings;
  for (const plan::Level& level : watch.alarm.levels) {
    if (group.told == level.severity && IsOpen(word.state)) t.threshold = level.threshold;
  }
  t.window_end = InstantFromMs(f.at);
  t.since = InstantFromMs(group.life.since);
  t.peak = group.life.peak;
  t.points = static_cast<std::uint64_t>(std::llround(f.points));
  t.clock = InstantFromMs(time_.now());
  t.source_offset = offset_;
  out_->push_back({std::move(t), f.points});
}

}  // namespace liveops::engine::oracle
