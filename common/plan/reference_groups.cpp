// What the reference page says of groups of series.
#include "common/plan/reference_parts.h"

namespace liveops::plan {

ReferenceSection GroupsSection() {
  return {
      "Groups",
      "",
      R"md(`by` makes one alarm for each set of values of the labels. Without it there is one for the
service: counters and distributions are merged, and of gauges the worst series counts, the
greatest for `>` and the least for `<`. A label that a series does not have is empty.

The first test of a condition says what the alarm is told apart by. A later test may name all of
those labels, a part of them, or none: then all alarms that share those values see the same value
of it.)md",
      {When("avg(CPU) by zone, instance over 5min > 90% for 10min"),
       When("CPU by host > 90% and req/min > 1000",
            "each host's CPU, while the service as a whole is busy")}};
}

ReferenceSection TopSection() {
  return {
      "The greatest groups: topk",
      R"md(groups    = "topk" "(" K "," measure "by" label {"," label} ["over" window] ")" ["over" window])md",
      R"md(`topk(5, avg(CPU) by instance) > 90%` holds only the five instances with the greatest averages
against the threshold: at most five of its alarms are true at one time. It stands in the first test of
a condition, K is from 1 to 1000.

* What is not among the K greatest is false, whatever its value is. So an alarm that leaves them
  resolves in the ordinary way: at the next judgement, or where it has a `clear` when its value is
  clear too.
* Of equal values the one whose labels come first, in the order of the alphabet, is the greater.
* A group whose value is not known while its silence is not proven may be among the greatest: then
  whoever has the last places is unknown, not true. A group whose silence is proven has no place.
* It is judged at the watermark only, and where there are more than K groups after the first whole
  window, since a rank among what is known in part says nothing.
* Levels, and the other tests of the condition, count for those among the greatest.)md",
      {When("topk(5, avg(CPU) by instance) > 90% for 5min"),
       When("topk(1, 5xx by route over 10min) > 2% and req/min > 100",
            "the worst route alone, while there is traffic")}};
}

ReferenceSection EarlierTimesSection() {
  return {
      "Compared to an earlier time",
      R"md(test      = measure [by …] [over …] op per-cents "compared" "to" time "ago")md",
      R"md(`p95 > 150% compared to 1d ago` is true when the value now is more than one and a half times what
it was a day ago, `< 50%` when it is less than half of it. The threshold is in per cents of what
was: there is one form, and no difference beside it. Any aggregate, ratio or shortfall is compared
so; a formula is not.

The earlier window is as long as the one now and ended the given time before it: (t - D - W, t - D].
Its panes are kept for D + W, at most 1440 of them (and those of one window), so that the memory of a
series, 24 bytes a pane, or of a group's distribution, does not grow with D. They divide the window,
too, but may be coarser than its own, at the most one window long, and the earlier window ends up to
one of its panes before t - D: with `over 1min compared to 1d ago` at the last whole minute. The
window is at least D / 1440 (1min for 1d, 7min for 7d); D is at least W, and D + W at most 30d.

* Without a value then the test is unknown, never true or false: there was no point in the earlier
  window, or it was 0 or less; the rule did not see all of that window, since it is younger, or the
  log had a hole then, or points were refused. What the value is now and was then is told with every
  answer.
* Both windows need `min_count` events, where one does.
* It is judged at the watermark only: nothing is told early.
* Panes of the earlier time are part of the snapshot; a restart does not forget them. A group told
  apart by labels that leaves takes its past with it.
* It counts as two of the 8 tests of a condition, and does not stand in `expect`.
* In the canonical form `in` says what the measure is in, where that is not a plain number.)md",
      {When("p95 > 150% compared to 1d ago for 5min", "half as much again as a day ago"),
       When("req/min over 10min < 50% compared to 7d ago", "half of the traffic is missing"),
       When("5xx over 5min > 300% compared to 1h ago and 5xx > 1%",
            "three times the errors of an hour ago, and no few"),
       When("last(queue_length) by pod over 5min >= 200% compared to 30min ago")}};
}

ReferenceSection ReportersSection() {
  return {
      "Who reports",
      R"md(test      = "fewer" "than" N ["of" series] "by" label ["over" window]
expected  = "at" "least" N ["of" series] "by" label ["over" window] [hold])md",
      R"md("At least 3 instances of the service report" is said by an alarm's `expect:`, which stands in place
of its `when:`: `expect: at least 3 by instance`. The alarm's condition is that this fails, `fewer
than 3 by instance`, and that phrase may stand among the other tests of a `when:` too. What is counted
are the values of the label, of any series of the service or of those of one metric; a series
without the label counts for nobody.

A value reports as long as one of its series does: there is a point in the window, or the newest is
less than two reporting intervals old. It is missing once the silence of all of its series is
proven, as of any alarm. What lies between is neither:

* fewer than N report even if all of those do whose silence is not proven: true;
* N or more surely report: false;
* else unknown, which fires nothing and resolves nothing.

Who never spoke since the plan came into force does not count. Where fewer than N did, the others
are given 12min30s (or the window, if that is longer) before they are missed; before anybody spoke
the alarm is blind. It is judged at the watermark only. That nobody reports is what the condition
says, so `no_data` has no part in it, and its alarm is never gone.

The page names who fell silent last, the list of alarms up to five with the time. Once a value
has been silent for an hour it is forgotten, unless it is needed to make up the N. One that was
decommissioned (`liveopsctl decommission`) does not count from then on, and is not named as missing.)md",
      {{Kind::kExpected, "at least 3 by instance", "the alarm fires when fewer than three report"},
       {Kind::kExpected, "at least 2 of http_request_count{zone=\"a\"} by pod over 30s for 2min",
        ""},
       When("fewer than 3 by instance and req/min > 100")}};
}

ReferenceSection ServicesSection() {
  return {
      "Series of other services",
      "",
      R"md(`{service="payments"}` says whose series are read; without it they are those of the plan's own
service. It is no label, stands beside labels, and can be written under `metrics:` too. Units are
converted as those of the own series are. Every plan may read every service of the installation;
the alarm, its owner and its groups stay those of the plan's service, and the other one needs no
plan.

Such a rule is judged when the watermark of every service that it reads has passed, and never
eagerly: a quarter of a second later than one of a single service, at the least. While one of them
says nothing the alarm is *unknown*: it neither fires nor resolves, and `alarms explain` names the
service. Where a counter without points would be 0 because another operand has data, the counters of
another service are so only once the service was heard of, in the same group: one that nobody knows
leaves the value unknown, and the alarm `blind` where it reads nothing else. A name that is misspelt
reads so, too: `plan check` prints which services a plan reads.

`at least N by LABEL`, `fewer than`, `distinct` and `topk` cannot stand in such a condition, nor can
`expect:` and an objective's events read another service.)md",
      {When("increase(orders_count) - increase(charge_count{service=\"payments\"}) > 50 for 5min",
            "orders that nobody was charged for"),
       When("ratio(charge_failed_count{service=\"payments\"}, orders_count) > 2%",
            "failures there, held against the orders here"),
       When("5xx > 1% unless rate(http_5xx_count{service=\"gateway\", zone=\"a\"}) > 5",
            "not while the gateway itself fails"),
       Refused("rate(http_5xx_count{service!=\"payments\"}) > 1"),
       Refused("topk(3, rate(http_5xx_count{service=\"payments\"}) by pod) > 5")}};
}

}  // namespace liveops::plan
