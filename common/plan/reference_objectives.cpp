// What the reference page says of objectives.
#include "common/plan/reference_parts.h"

namespace liveops::plan {

ReferenceSection ObjectivesSection() {
  return {
      "Objectives",
      R"md(slos:
  - name: NAME                 # required
    objective: 99.9%           # required; or 0.999
    good: SERIES               # or bad: SERIES, or good: TOTAL - BAD
    total: SERIES              # required beside them
    time_slices: {good: CONDITION, window: 1min}   # in place of the two above
    over: 30d                  # 3d to 30d
    owner: OWNER               # required
    min_bad: 10                # fewer bad events than this fire nothing (of slices: 2)
    page: critical             # or high
    ticket: medium             # or low
    runbook: LINK)md",
      R"md(An objective says what part of the events is to be good over a rolling time. What may be bad is
its *error budget*. It makes two alarms that page, after "The Site Reliability Workbook" (Beyer et al.,
2018), chapter 5, "Alerting on SLOs", multiwindow and multi-burn-rate:

| alarm | goes off when | over both windows | burn rate at 30d |
|---|---|---|---|
| `NAME-fast-burn` | 2 % of the budget is burnt in 1 h | 1h and 5min | 14.4 |
| | or 5 % in 6 h | 6h and 30min | 6 |
| `NAME-slow-burn` | 10 % in 1 d | 1d and 2h | 3 |
| | or 10 % in 3 d; neither while the fast one's condition is true | 3d and 6h | 1 |

The burn rate is how many times faster than the budget allows: at 1 the budget lasts for just its
time. For another time than 30d the windows stay and the rates are scaled by it. The threshold is
the burn rate times what the objective allows to be bad; where that is 100 % or more the alarm
could never fire, and the objective is refused with the figures.

A few bad events are no trend: the alarms stay silent while fewer than `min_bad` events are bad,
and while the share may lie at or below the threshold by chance (the lower bound of Wilson's
interval at 95 %, one side). `min_count` does not apply.

A third, `NAME-budget`, pages nobody: it looks at the share of bad events over all of the
objective's time, and is true when it is more than the budget allows. From it comes how much of the
budget is left, which the pages of the other two say, and `alarms explain`, `slos list`, and `plan
backtest` at its end. Its window moves in panes of a thirtieth of that time too, but ends with the
one that runs, and is looked at each minute. What happened before the plan came into force, or
before a hole in the log, is not known; where a part of the time is not, the answer says how much
is: *at most 99.7 % of the month's error budget is left (2d4h of 30d is known)*, which takes it that
there was as much to do in the rest, and nothing bad; then the alarm does not fire. A spread service
is not told it yet.)md",
      {{Kind::kObjective, R"md(name: availability
objective: 99.9%
good: http_request_count - http_5xx_count
total: http_request_count
owner: on-call)md",
        "Bad events are counted"},
       {Kind::kObjective, R"md(name: payments
objective: 99.5%
good: payment_ok_count
total: payment_count
over: 7d
owner: on-call
page: high
ticket: low)md",
        "Good events are counted, over a week"}}};
}

ReferenceSection TimeSlicesSection() {
  return {
      "Objectives of time slices",
      "",
      R"md(`time_slices` counts slices of time in place of events: an objective of 99.9 % then says that in at
least 99.9 % of the minutes the condition held. It is for what no event counts as good or bad: a
quantile, a gauge, the age of a queue. (OpenSLO calls it `budgetingMethod: Timeslices`, and the
length of a slice `timeSliceWindow`; what a slice must reach, `timeSliceTarget`, stands in the
condition.)

* A slice is 10s to 5min long, 1min when left out, and an hour is a whole number of them. It ends
  with the clock's minute, or hour.
* The condition is one test or several joined by `and`, `or`, `unless`, each over the slice; `over`
  may be left out. It has no hold, no `by`, no comparison with an earlier time, reads no other
  service, and does not count who reports: there is one value for the whole service, at the end of the slice.
* When a slice is over and what may come late is in, it is *good* or *bad*, once: points that come
  later do not turn it. Where there is no value, where a part of the slice is not known (the plan
  was not in force, the log had a hole), or where a series is missing, it is neither (but no slice
  waits for one that has been silent for an hour): it is not counted, and `alarms explain` says how
  many there were and how the last slice came out. How few events a slice rests on does not matter.
* The alarms are those of an objective of events, with what part of the counted slices was bad. They
  stay silent while fewer than `min_bad` slices of a window are bad: 2 when left out, so that one
  bad minute wakes nobody, and 1 where the shortest window, 5min, has room for one alone. More than
  it has room for are refused: the alarms could never fire. Slices are no sample, so Wilson's
  interval is not asked.
* An objective that allows less than one bad slice in all of its time is refused, with the figures.
* Another condition or length makes other slices: what was counted before says nothing of them, and
  the budget begins anew. An edit of the objective's other keys keeps what was counted.
* It cannot be run where `spread` is above 1.)md",
      {{Kind::kObjective, R"md(name: fast
objective: 99.9%
time_slices: {good: p95 < 500ms, window: 1min}
owner: on-call)md",
        "The 95th percentile of each minute"},
       {Kind::kObjective, R"md(name: queue-keeps-up
objective: 99%
time_slices: {good: queue < 1000 and 5xx < 1%, window: 5min}
over: 7d
owner: on-call)md",
        "Two tests, over slices of five minutes, over a week"}}};
}

}  // namespace liveops::plan
