#include "services/liveopsctl/rehearse/test_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "common/base/text.h"

namespace liveops::rehearse {
namespace {

using engine::SeriesKind;

constexpr Duration kIntervalMin{100};
constexpr Duration kIntervalMax = std::chrono::hours(24);
constexpr Duration kLengthMax = std::chrono::hours(24 * 31);

constexpr std::pair<SeriesKind, const char*> kKinds[] = {
    {SeriesKind::kCounterDelta, "delta"},
    {SeriesKind::kCounterCumulative, "cumulative"},
    {SeriesKind::kGauge, "gauge"},
    {SeriesKind::kObservation, "observation"},
    {SeriesKind::kHistogramDelta, "histogram"},
    {SeriesKind::kHistogramCumulative, "histogram_cumulative"}};

bool IsHistogram(SeriesKind kind) {
  return kind == SeriesKind::kHistogramDelta || kind == SeriesKind::kHistogramCumulative;
}
bool IsCounter(SeriesKind kind) {
  return kind == SeriesKind::kCounterDelta || kind == SeriesKind::kCounterCumulative;
}

class TestReader {
 public:
  TestReader(plan::ProblemList& problems, const PlanLoader& load)
      : problems_(problems), load_(load) {}
  PlanTestFile Read(const plan::YamlNode& root);

 private:
  void ReadTest(const plan::YamlNode& node, Duration interval, PlanTestFile& file);
  void ReadSeriesList(const plan::YamlNode& node, PlanTest& test);
  void ReadSeries(const plan::YamlNode& node, PlanTest& test);
  bool CheckService(const plan::YamlNode& node, const Labels& labels);
  std::optional<SeriesKind> ReadKind(plan::Fields& fields);
  std::optional<Sequence> ReadValues(plan::Fields& fields, std::optional<SeriesKind> kind);
  void CheckLength(const PlanTest& test, const plan::YamlNode& node);

  plan::ProblemList& problems_;
  const PlanLoader& load_;
  std::optional<Watchlist> watched_;
  std::map<std::string, int> names_;  // -> line
};

// What somebody may take for a test file; "" = it may be one.
const char* OtherFile(const plan::YamlNode& root) {
  if (root.kind == plan::YamlNode::Kind::kNull) {
    return "the test file is empty, expected plan and tests";
  }
  if (root.kind != plan::YamlNode::Kind::kMap || root.Find("plan") != nullptr) return "";
  if (root.Find("rule_files") != nullptr || root.Find("evaluation_interval") != nullptr) {
    return "this is a test file of promtool: here `plan: FILE` names what is tested, series have a "
           "kind, and `expect` and `at` take the place of alert_rule_test";
  }
  if (root.Find("groups") != nullptr) return "these are rules of Prometheus, not tests of a plan";
  if (root.Find("service") != nullptr && root.Find("tests") == nullptr) {
    return "this is a plan: its tests stand in a file of their own, which names it by `plan: FILE`";
  }
  return "";
}

PlanTestFile TestReader::Read(const plan::YamlNode& root) {
  PlanTestFile file;
  if (const std::string other = OtherFile(root); !other.empty()) {
    problems_.Add(root, other);
    return file;
  }
  plan::Fields fields(root, "the test file", problems_);
  if (!fields.valid()) return file;
  if (const plan::YamlNode* path = fields.Scalar("plan", true)) {
    file.plan = path->scalar;
    std::string why;
    if (const plan::Plan* plan = load_(file.plan, why)) {
      watched_.emplace(*plan);
    } else {
      problems_.Add(*path, why);
    }
  }
  const Duration interval =
      fields.Time("interval", kIntervalMin, kIntervalMax).value_or(PlanTest{}.interval);
  const plan::YamlNode* tests = fields.Require("tests");
  fields.Finish();
  // Without the plan's names there is nothing to hold the tests against.
  if (!watched_ || tests == nullptr) return file;
  if (tests->kind != plan::YamlNode::Kind::kList) {
    problems_.Add(*tests, fmt::format("tests is {}, expected a list", KindName(tests->kind)));
    return file;
  }
  for (const plan::YamlNode& test : tests->items) ReadTest(test, interval, file);
  if (file.tests.empty() && problems_.empty())
    problems_.Add(*tests, "there is no test in the list");
  return file;
}

void TestReader::ReadTest(const plan::YamlNode& node, Duration interval, PlanTestFile& file) {
  plan::Fields fields(node, "a test", problems_);
  if (!fields.valid()) return;
  PlanTest test;
  test.line = problems_.LineOf(node.offset);
  if (const plan::YamlNode* name = fields.Scalar("name", true)) {
    test.name = name->scalar;
    fields.Rename(fmt::format("test \"{}\"", Truncate(test.name, 60)));
    const auto [first, fresh] = names_.emplace(test.name, test.line);
    if (!fresh) {
      problems_.Add(*name, fmt::format("test \"{}\" is there twice, first in line {}",
                                       Truncate(test.name, 60), first->second));
    }
  }
  test.interval = fields.Time("interval", kIntervalMin, kIntervalMax).value_or(interval);
  if (const plan::YamlNode* only = fields.Scalar("only")) {
    test.only_listed = only->scalar == "listed";
    if (!test.only_listed) {
      problems_.Add(*only, fmt::format("only is \"{}\", expected listed: transitions that are not "
                                       "expected are then no fault",
                                       Truncate(only->scalar, 40)));
    }
  }
  if (const plan::YamlNode* series = fields.Require("series")) ReadSeriesList(*series, test);
  if (const plan::YamlNode* list = fields.Get("expect")) {
    test.expect = ReadExpected(*list, "expect", ExpectedKind::kTransition, *watched_, problems_);
  }
  if (const plan::YamlNode* list = fields.Get("pages")) {
    test.pages = ReadExpected(*list, "pages", ExpectedKind::kPage, *watched_, problems_);
  }
  if (const plan::YamlNode* list = fields.Get("at")) {
    test.looks = ReadExpected(*list, "at", ExpectedKind::kLook, *watched_, problems_);
  }
  fields.Finish();
  CheckLength(test, node);
  file.tests.push_back(std::move(test));
}

void TestReader::CheckLength(const PlanTest& test, const plan::YamlNode& node) {
  if (test.last_sample() <= kLengthMax) return;
  problems_.Add(node,
                fmt::format("test \"{}\" is {} long, expected at most {}", Truncate(test.name, 60),
                            FormatElapsed(test.last_sample()), FormatDuration(kLengthMax)));
}

void TestReader::ReadSeriesList(const plan::YamlNode& node, PlanTest& test) {
  if (node.kind != plan::YamlNode::Kind::kList) {
    problems_.Add(node, fmt::format("series is {}, expected a list", KindName(node.kind)));
    return;
  }
  for (const plan::YamlNode& item : node.items) ReadSeries(item, test);
}

// The label says whose series it is: the plan's own, or one that its rules read.
bool TestReader::CheckService(const plan::YamlNode& node, const Labels& labels) {
  const std::string* service = labels.Find(plan::kServiceLabel);
  const auto known = watched_->services();
  if (service == nullptr || std::binary_search(known.begin(), known.end(), *service)) return true;
  problems_.AddInside(node, 0,
                      fmt::format("nothing in the plan reads series of the service \"{}\"{}",
                                  Truncate(*service, 60), Suggestion(*service, known)));
  return false;
}

void TestReader::ReadSeries(const plan::YamlNode& node, PlanTest& test) {
  plan::Fields fields(node, "a series", problems_);
  if (!fields.valid()) return;
  TestSeries series;
  bool good = false;
  const plan::YamlNode* name = fields.Scalar("series", true);
  if (name != nullptr) {
    fields.Rename(fmt::format("series \"{}\"", Truncate(name->scalar, 60)));
    Fault fault;
    if (auto selector = ReadSelector(name->scalar, fault)) {
      good = true;
      series.metric = std::move(selector->metric);
      series.labels = std::move(selector->labels);
    } else {
      problems_.AddInside(*name, fault.at, fault.message);
    }
  }
  const auto known = watched_->metrics();
  if (good && !std::binary_search(known.begin(), known.end(), series.metric)) {
    problems_.AddInside(*name, 0,
                        fmt::format("nothing in the plan reads the metric \"{}\"{}",
                                    Truncate(series.metric, 60), Suggestion(series.metric, known)));
    good = false;
  }
  if (good) good = CheckService(*name, series.labels);
  const auto kind = ReadKind(fields);
  series.unit = fields.Text("unit");
  auto values = ReadValues(fields, kind);
  fields.Finish();
  if (!good || !kind || !values) return;
  series.kind = *kind;
  series.values = std::move(*values);
  const bool twice =
      std::any_of(test.series.begin(), test.series.end(), [&](const TestSeries& other) {
        return other.metric == series.metric && other.labels == series.labels;
      });
  if (twice) {
    problems_.Add(*name, fmt::format("the series {}{} is there twice; give one of them a label",
                                     series.metric, series.labels.ToString()));
    return;
  }
  test.series.push_back(std::move(series));
}

std::optional<SeriesKind> TestReader::ReadKind(plan::Fields& fields) {
  const plan::YamlNode* node = fields.Get("kind");
  if (node == nullptr) {
    const plan::YamlNode* series = fields.node().Find("series");
    problems_.Add(series != nullptr ? *series : fields.node(),
                  fmt::format("the key \"kind\" is missing: how do the values count? Known are: {}",
                              fmt::join(KindWords(), ", ")));
    return std::nullopt;
  }
  const auto kind = KindOf(node->scalar);
  if (!kind) {
    problems_.Add(*node, fmt::format("unknown kind \"{}\"{}", Truncate(node->scalar, 40),
                                     Suggestion(node->scalar, KindWords())));
  }
  return kind;
}

std::optional<Sequence> TestReader::ReadValues(plan::Fields& fields,
                                               std::optional<SeriesKind> kind) {
  const plan::YamlNode* node = fields.Scalar("values", true);
  if (node == nullptr) return std::nullopt;
  Fault fault;
  auto values = ReadSequence(node->scalar, fault);
  if (!values) {
    problems_.AddInside(*node, fault.at, fault.message);
    return std::nullopt;
  }
  if (!kind) return values;
  const char* word = KindWord(*kind);
  if (IsHistogram(*kind) ? values->numbers() : values->histograms()) {
    problems_.Add(*node,
                  IsHistogram(*kind)
                      ? fmt::format("a series of kind {} has values like {{100:5,200:10}}", word)
                      : fmt::format("a series of kind {} has plain numbers as values; "
                                    "{{…}} belongs to histogram and histogram_cumulative",
                                    word));
    return std::nullopt;
  }
  if (IsCounter(*kind) && values->Least() < 0) {
    problems_.Add(*node, fmt::format("a counter cannot be negative: these values fall to {}",
                                     FormatNumber(values->Least())));
    return std::nullopt;
  }
  return values;
}

}  // namespace

Duration PlanTest::last_sample() const {
  std::int64_t samples = 0;
  for (const TestSeries& s : series)
    samples = std::max(samples, static_cast<std::int64_t>(s.values.size()));
  return interval * (samples - 1);
}

Duration PlanTest::last_expected() const {
  Duration last{0};
  const auto take = [&](const std::vector<Expected>& list) {
    for (const Expected& expected : list) last = std::max(last, expected.at + expected.within);
  };
  take(expect);
  take(looks);
  if (pages) take(*pages);
  return last;
}

PlanTestFileResult ReadPlanTests(std::string_view yaml, const PlanLoader& load) {
  PlanTestFileResult result;
  plan::ProblemList problems(yaml);
  const plan::YamlNode root = plan::ReadYaml(yaml, problems, "test");
  const bool readable = root.kind != plan::YamlNode::Kind::kNull || problems.empty();
  if (readable) result.file = TestReader(problems, load).Read(root);
  result.problems = problems.Take();
  return result;
}

ExpectedPagesResult ReadExpectedPages(std::string_view yaml, const plan::Plan& plan) {
  ExpectedPagesResult result;
  plan::ProblemList problems(yaml);
  const plan::YamlNode root = plan::ReadYaml(yaml, problems, "test");
  if (root.kind != plan::YamlNode::Kind::kNull || problems.empty()) {
    plan::Fields fields(root, "the file of expected pages", problems);
    const plan::YamlNode* list = fields.valid() ? fields.Require("pages") : nullptr;
    if (list != nullptr) {
      result.pages = ReadExpected(*list, "pages", ExpectedKind::kPage, Watchlist(plan), problems);
    }
    if (fields.valid()) fields.Finish();
  }
  result.problems = problems.Take();
  return result;
}

const char* KindWord(SeriesKind kind) {
  for (const auto& [known, word] : kKinds) {
    if (known == kind) return word;
  }
  return "unknown";
}

std::optional<SeriesKind> KindOf(std::string_view word) {
  for (const auto& [kind, known] : kKinds) {
    if (word == known) return kind;
  }
  return std::nullopt;
}

const std::vector<std::string>& KindWords() {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> all;
    for (const auto& [kind, word] : kKinds) all.emplace_back(word);
    return all;
  }();
  return words;
}

}  // namespace liveops::rehearse
