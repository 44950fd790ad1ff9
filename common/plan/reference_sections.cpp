#include "common/plan/reference_parts.h"

namespace liveops::plan {
namespace {

ReferenceSection Conditions() {
  return {
      "Conditions",
      R"md(condition = logic [hold]
logic     = chain {"or" chain}
chain     = item {("and" | "unless") item}
item      = test | "(" logic ")"
test      = groups op threshold ["compared" "to" time "ago"]
groups    = measure ["by" label {"," label}] ["over" window]
          | "topk" "(" K "," groups ")" ["over" window]
          | "fewer" "than" N ["of" series] "by" label ["over" window]
op        = ">" | ">=" | "<" | "<="
hold      = ["for"] time | "for" M "of" N ("min" | "h"))md",
      R"md(A condition is one *test*, or several joined by words. A test computes a *measure* over a *window*
and compares it with a *threshold*; the *hold* says how long the whole must be true before the
alarm fires. A value exactly at the threshold is not above it and not below it: `>` and `<` are
then false, `>=` and `<=` true.

Lengths of time are written `250ms`, `30s`, `5min`, `1h`, `1h30min`, `1d`.)md",
      {When("p95 > 500ms for 5min",
            "the 95th percentile of the last minute was above 500 ms at every judgement for 5 min"),
       When("5xx > 1% 3min", "the word `for` may be left out"),
       When("req/min < 10", "no hold: the first true fires"),
       When("Disk usage >= 85% for 1h", "`>=`: 85 % itself counts")}};
}

ReferenceSection Aggregates() {
  return {
      "Measures: aggregates",
      R"md(measure   = call ["of" capacity] | ("ratio" | "shortfall") "(" series "," series ")" | alias
          | pNN [distribution alias] | formula
call      = aggregate "(" series ")" ["per" time] ["in" unit] | "distinct" "(" series "," label ")"
aggregate = pNN | rate | increase | count | sum | avg | min | max | last | stddev
series    = (metric | alias of one) ["{" label ("=" | "!=") "\"value\"" {"," …} "}"])md",
      R"md(What an aggregate is, by what the series are. "Nothing" means that such series do not feed it.

| aggregate | gauge | counter | observations | histogram |
|---|---|---|---|---|
| `last` | newest reading | newest increase that was reported | newest value | nothing |
| `avg` | mean of the readings | mean of the reported increases | mean of the values | mean of the values |
| `min`, `max` | least, greatest reading | least, greatest reported increase | least, greatest value | least, greatest bound that the buckets show |
| `stddev` | standard deviation of the readings | of the reported increases | of the values | of the values, as the buckets show them |
| `sum` | sum of the newest readings of all series | increase | sum of the values | sum of the values |
| `count` | number of readings | increase | number of values | number of values |
| `increase` | nothing | increase in the window | number of values | number of values |
| `rate` | nothing | increase per time | values per time | values per time |
| `pNN` | quantile of the readings | nothing | quantile of the values, within 1 % | linear inside the bucket; what is above the last bound counts as that bound |

* `pNN` is any quantile between p0 and p100: `p50`, `p95`, `p99.9`.
* `rate` is the increase divided by the time that the points cover, per second or per what stands
  after `per`; `increase` is that rate times the window, so that exports which come a little early
  or late neither vanish nor count twice. `count` is what really came.
* `stddev` is that of the whole population (divided by n); of one reading alone there is none.
* `distinct(m, user)` is how many values of the label `user` the series of `m` have that have a point
  in the window, or whose newest one still stands (for two reporting intervals): as PromQL's
  `count(count by (user) (m))` and Datadog's cardinality of a tag. Series of any kind count, those
  without the label do not; where none speaks there is no value. Up to 256 values the number is
  exact, beyond it is an estimate with a standard error of 1.6 % (HyperLogLog with 4096 registers).
  It is a plain number. Series and groups whose silence is proven leave as gauges do.
* A gauge's reading holds until twice its reporting interval has passed.
* Fewer events than the alarm's `min_count` (20 when left out) withhold "true" of ratios,
  quantiles, and means and deviations of events. Readings of gauges are no events.)md",
      {When("p99.9(db_query_duration_ms) >= 1.5s"),
       When("rate(http_request_count{code=\"500\"}) per min > 60"),
       When("rate(http_request_count{code!=\"200\", zone=\"a\"}) > 3", "per second when left out"),
       When("count(latency) < 100 for 10min",
            "an alias of a metric inside an aggregate is that metric"),
       When("stddev(CPU) over 10min > 15%", "a gauge that swings"),
       When("distinct(http_request_count{code=\"500\"}, user) by zone over 5min > 50",
            "how many users see errors, zone by zone"),
       When("count(latency) / distinct(latency, user) > 1000", "much from few")}};
}

ReferenceSection Aliases() {
  return {
      "Names",
      "",
      R"md(A name under `metrics:` may have spaces, digits in front, and `/`, as people write them. The
longest name that fits is taken. One that is bound nowhere is a mistake, told with the nearest
word. A name bound by `metric:` is `last` when it stands alone; one bound by `distribution:` needs
a quantile, and with `default: true` is what a bare `p95` means.)md",
      {When("CPU > 90% for 5min"), When("avg(CPU) > 90% for 5min"), When("p95 latency > 500ms"),
       When("p95 > 500ms", "`latency` is the default"), When("queue > 1000")}};
}

ReferenceSection Shares() {
  return {
      "Parts of a whole",
      "",
      R"md(`ratio(a, b)` is what part of the increase of `b` the increase of `a` is; `shortfall(good, total)`
is what part of `total` is missing in `good`, from 0 to 1. `last(m) of 200` is a value as a share
of a capacity. All three are compared with per cents or with a number from 0 to 1. A counter
without points counts as 0 where the whole has data. Without events in the whole there is no
value.)md",
      {When("ratio(http_5xx_count, http_request_count) over 10min > 0.5%"),
       When("5xx > 0.005", "a plain number from 0 to 1"),
       When("shortfall(payment_ok_count, payment_count) over 5min > 2%",
            "more than 2 % of the payments were not good"),
       When("DB connections > 80% for 10min"),
       When("max(db_connection_count) of 200 over 5min > 80%")}};
}

ReferenceSection Formulas() {
  return {
      "Formulas",
      R"md(formula   = product {("+" | "-") product}
product   = factor {("*" | "/") factor}
factor    = number | call | alias of a call | "(" formula ")")md",
      R"md(`*` and `/` bind more tightly than `+` and `-`; chains are read from the left. A sign beside a
name stands between spaces, since names may hold signs: `req/min`. A formula has at most 8
different aggregates and 32 signs, and stands left of the comparison; two measures are compared by
their difference or quotient. Ratios, shortfalls and shares of a capacity do not stand in
formulas: write the quotient.

All aggregates of a formula look at the same window and the same groups, and each is computed by
itself: of gauges without `by` each takes its worst series, so write `by` to compare like with
like. A counter without points is 0 where another aggregate of the formula has data; without a
value of one of the others, and after a division by 0, the formula has no value. `min_count` does
not apply.)md",
      {When("p95 - p50 > 300ms for 5min", "a long tail"),
       When("increase(http_5xx_count) + increase(http_4xx_count) > 100"),
       When(
           "(increase(orders_count) - increase(payment_count)) / increase(orders_count) over 15min "
           "> 5%",
           "a quotient of equal kinds is a share: compared with per cents it is multiplied by 100"),
       When("rate(redis_hits) / (rate(redis_hits) + rate(redis_misses)) < 0.8 for 10min"),
       When("max(heap_bytes) - min(heap_bytes) by host over 10min > 1GiB",
            "`by` and `over` stand after the whole formula")}};
}

ReferenceSection Units() {
  return {
      "Units",
      "",
      R"md(Known units: time (`ns`, `us`, `ms`, `s`, `min`, `h`), bytes (`By` or `B`, `kB`, `MB`, `GB`, `TB`,
`KiB`, `MiB`, `GiB`, `TiB`), shares (`%`, and plain numbers). Others, such as `jobs`, fit
themselves only. Thresholds are converted to what is measured; series, to what the plan says that
they are in.

* What a metric is in is declared under `metrics:` (`unit: ms`) or by `in ms` after the aggregate.
  Else the threshold of a test says it; in a formula, an aggregate of a series without a declared
  unit is a plain number.
* `+` and `-` want the same kind of unit on both sides and convert to the left one. `*` wants a
  plain number on one side. `/` of one kind gives a plain number, `/` by a plain number keeps the
  unit. Anything else is refused, naming both units.
* A rate is in the unit of its series per time: `/min`, `By/s`. A plain threshold is taken to be
  in it. What is counted (`rate`, `increase`, `count`) is not converted.
* In the canonical form, `in` stands after each aggregate of a formula that is neither a plain
  number nor a plain rate.)md",
      {When("p95 > 0.5s", "the metric is in ms"), When("heap > 2GiB"),
       When("avg(gc_pause) in s > 200ms", "the series are in seconds"),
       When("avg(gc_pause) in s - p50 > 100ms", "both are brought to the left one's unit"),
       When("avg(http_request_duration_ms) / avg(db_query_duration_ms) in ms > 3"),
       When("1 - last(cpu_utilization) in 1 < 10%",
            "what is left of the CPU: per cents as a plain number"),
       When("rate(bytes_sent) per min in By/min / 1000 > 5")}};
}

ReferenceSection Windows() {
  return {
      "Windows and panes",
      "",
      R"md(`over` is the window that each value is computed from, 1 minute when left out, from 1s to 30d. The
window is (t - W, t]. It is a whole number of equal *panes*: as many as go into it to the
millisecond, 30 at the most, none shorter than 1s. (Of a window of whole seconds that are 25 to 30;
up to 30s, one a second.) At the end of each pane, once points that may still come late are in, it
is judged anew. A condition of several tests is judged at the pace of its shortest pane, each test
over the last whole panes of its own.

What more points in the window cannot undo is told at the end of the record that brought it,
without waiting for the pane: `>` on `last` and `max`, and on counts and sums of what is never
negative; of ratios, means, rates and quantiles when one record brings all of it. A "false", `<`,
and absence wait for the pane.

A new or changed estimate (a ratio, a rate, a mean, a quantile, a deviation, a formula) waits for
its first whole window: what a part of one says is not known to be so.)md",
      {When("avg(CPU) over 5min > 90%", "panes of 10s"),
       When("max(queue_length) over 10s > 50", "panes of 1s"),
       When("increase(orders_count) over 1d < 100", "panes of 48min")}};
}

ReferenceSection Logic() {
  return {
      "Several tests: and, or, unless",
      "",
      R"md(`and` and `unless` bind more tightly than `or`; chains are read from the left; parentheses group.
`a unless b` is a and not b. A condition has at most 8 tests. The first test gives the alarm its
groups; the page names the test that was true.

Parentheses that change nothing are forgotten: `a or (b or c)` is the same condition as `a or b or
c`.)md",
      {When("p95 > 500ms and req/min > 100 for 5min",
            "slow, and not merely because hardly anyone asks"),
       When("5xx > 1% or p95 > 1s for 3min"), When("(5xx > 5% or p95 > 2s) unless req/min < 10"),
       When("ratio(http_5xx_count, http_request_count) over 1h > 1.44% and 5xx over 5min > 1.44%",
            "much over an hour, and still so")}};
}

ReferenceSection Values() {
  return {
      "Three values",
      "",
      R"md(A test is true, false, or *unknown*: no data, a window that is not wholly known, too few events.
Unknown is never taken for false: it fires nothing, and it neither resets a hold nor resolves an
alarm.

| a | b | `a and b` | `a or b` | `a unless b` |
|---|---|---|---|---|
| true | true | true | true | false |
| true | false | false | true | true |
| true | unknown | unknown | true | unknown |
| false | true | false | true | false |
| false | false | false | false | false |
| false | unknown | false | unknown | false |
| unknown | true | unknown | true | false |
| unknown | false | unknown | unknown | unknown |
| unknown | unknown | unknown | unknown | unknown |

Silence is told only where it is proven, and only if the alarm says `no_data: fire`.

Pods come and go, and a condition without `by` reads them all. A series whose silence is proven is
forgotten when it left the window (or the earlier time of `compared to`), and three of its own
intervals are over, an hour ago; one that spoke once is given a day. Until then a "false" without
it is unknown whenever silence proves nothing. If it speaks again after that, it is new: a total is
first of all one to count from. A gauge, and what `by` tells apart, is new after an hour already in
which its silence was long enough to be proven. An alarm that fires changes none of this.)md",
      {}};
}

ReferenceSection Holds() {
  return {
      "Holds and quorums",
      "",
      R"md(A hold counts for the whole condition and stands at its end. `for 5min` runs from the first true
and fires at a true; a false in between begins anew. Up to 7d.

`for 3 of 5min` fires when the condition was true at the ends of at least 3 of the last 5 whole
minutes, `for 2 of 3h` of hours: M of N, 1 <= M <= N <= 60. It forgives a minute on the good side.
It is false when too few could be true even if every unknown one were.)md",
      {When("CPU > 90% for 1h30min"), When("5xx > 1% for 3 of 5min"),
       When("p95 > 500ms and 5xx > 1% for 2 of 3h")}};
}

ReferenceSection Recovery() {
  return {
      "Recovery: clear",
      R"md(clear = op threshold [["for"] time])md",
      R"md(`clear:` of an alarm says when it counts as recovered; without it, at the first false. It is on
the other side of the comparison and in the unit of the condition, here `p95 > 500ms for 5min`,
and belongs to a condition of one test.)md",
      {{Kind::kClear, "< 300ms for 2min", ""}, {Kind::kClear, "< 0.4s", ""}}};
}

ReferenceSection Effects() {
  return {
      "Effects: expect",
      R"md(expect = (test | "at" "least" N ["of" series] "by" label ["over" window]) "within" time)md",
      R"md(`expect:` of a remediation says how it is seen to have helped, in a window that opens after the
action: one test, no hold. The time, up to 1d, is longer than the window.)md",
      {{Kind::kExpect, "5xx < 1% within 5min", ""},
       {Kind::kExpect, "p95 - p50 < 100ms within 10min", ""},
       {Kind::kExpect, "at least 3 by pod within 10min", "three pods report, since the action"}}};
}

ReferenceSection Refusals() {
  return {
      "Refused",
      "",
      R"md(Nothing is read and ignored. What this version cannot run is refused by its name, and what does
not fit is told with what was expected:)md",
      {Refused("p95 > 500ms compared to 1d ago"), Refused("p95 - p50 > 150% compared to 1d ago"),
       Refused("avg(CPU) offset 1d > 5%"), Refused("avg(CPU) without host > 5%"),
       Refused("at least 3 by pod"), Refused("fewer than 3 pods"), Refused("topk(5, CPU) > 1%"),
       Refused("bottomk(5, CPU) > 1%"), Refused("distinct(user) > 100"),
       Refused("avg(m{path=~\"/a.*\"}) > 1"), Refused("avg(rate(m)) > 1"), Refused("p95 > p50"),
       Refused("(p95 > 500ms for 5min) or 5xx > 1%"), Refused("5xx > 5"),
       Refused("p95 + heap > 5ms"), Refused("5xx * 2 > 4%")}};
}

}  // namespace

std::string_view ReferenceNames() {
  return R"md(metrics:
  latency: {distribution: http_request_duration_ms, unit: ms, default: true}
  5xx: {ratio: [http_5xx_count, http_request_count]}
  req/min: {rate: http_request_count, per: min}
  CPU: {metric: cpu_utilization, unit: "%"}
  Disk usage: {metric: disk_utilization, unit: "%"}
  DB connections: {metric: db_connection_count, capacity: 200}
  heap: {metric: heap_bytes, unit: By}
  queue: {max: queue_length}
)md";
}

std::string_view ReferenceCleared() { return "p95 > 500ms for 5min"; }

std::span<const ReferenceSection> ReferenceSections() {
  static const std::vector<ReferenceSection> sections = {Conditions(),
                                                         Aggregates(),
                                                         Aliases(),
                                                         Shares(),
                                                         Formulas(),
                                                         Units(),
                                                         Windows(),
                                                         GroupsSection(),
                                                         TopSection(),
                                                         EarlierTimesSection(),
                                                         ReportersSection(),
                                                         ServicesSection(),
                                                         Logic(),
                                                         Values(),
                                                         Holds(),
                                                         Recovery(),
                                                         Effects(),
                                                         ObjectivesSection(),
                                                         TimeSlicesSection(),
                                                         Refusals()};
  return sections;
}

}  // namespace liveops::plan
