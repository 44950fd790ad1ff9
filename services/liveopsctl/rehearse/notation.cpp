#include "services/liveopsctl/rehearse/notation.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "common/base/text.h"

namespace liveops::rehearse {
namespace {

constexpr std::uint64_t kSamplesMax = 10'000'000;  // of one sequence
constexpr std::size_t kBoundsMax = 1000;
constexpr std::int64_t kCountMax = 1'000'000'000;  // times kSamplesMax it still fits

bool IsWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// A text that is read from its front.
class Text {
 public:
  Text(std::string_view text, Fault& fault) : text_(text), fault_(fault) {}

  bool done() const { return at_ >= text_.size(); }
  char front() const { return done() ? '\0' : text_[at_]; }
  std::string_view rest() const { return text_.substr(at_); }
  std::size_t at() const { return at_; }
  void Blanks() {
    while (front() == ' ' || front() == '\t' || front() == '\n') ++at_;
  }
  bool Take(char c) {
    if (front() != c) return false;
    ++at_;
    return true;
  }
  template <typename Belongs>
  std::string_view While(Belongs belongs) {
    const std::size_t begin = at_;
    while (!done() && belongs(front())) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  // Finite, without a sign in front unless it is `-`.
  bool Number(double& number) {
    const auto [end, error] =
        std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
    if (error != std::errc() || !std::isfinite(number)) return false;
    at_ = static_cast<std::size_t>(end - text_.data());
    return true;
  }
  bool Whole(std::int64_t& number) {
    const auto [end, error] =
        std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
    if (error != std::errc()) return false;
    at_ = static_cast<std::size_t>(end - text_.data());
    return true;
  }
  // Always false.
  bool Wrong(std::string message) { return WrongAt(at_, std::move(message)); }
  bool WrongAt(std::size_t at, std::string message) {
    fault_ = {at, std::move(message)};
    return false;
  }
  // The word that stands here, for messages.
  std::string Found() const {
    const std::string_view word = rest().substr(0, rest().find_first_of(" \t\n"));
    return word.empty() ? "the end" : fmt::format("\"{}\"", Truncate(word, 40));
  }

 private:
  std::string_view text_;
  Fault& fault_;
  std::size_t at_ = 0;
};

bool ReadQuoted(Text& text, std::string& value) {
  const char quote = text.front();
  const std::size_t begin = text.at();
  text.Take(quote);
  while (!text.done() && text.front() != quote) {
    if (text.Take('\\') && text.front() != quote && text.front() != '\\') {
      return text.Wrong("after \\ only a quote or another \\ may stand");
    }
    value += text.front();
    text.Take(text.front());
  }
  return text.Take(quote) || text.WrongAt(begin, "the quote that begins here is not closed");
}

bool ReadLabel(Text& text, Labels& labels) {
  const std::size_t begin = text.at();
  const std::string_view name = text.While(IsWord);
  if (name.empty())
    return text.Wrong(fmt::format("found {}, expected a label's name", text.Found()));
  text.Blanks();
  if (!text.Take('=') || text.front() == '~') {
    return text.Wrong(
        fmt::format("after the label \"{}\" = and its value are expected; a test's series has each "
                    "label once, with its value",
                    name));
  }
  text.Blanks();
  std::string value;
  if (text.front() == '"' || text.front() == '\'') {
    if (!ReadQuoted(text, value)) return false;
  } else {
    value = text.While(
        [](char c) { return IsWord(c) || c == '-' || c == '.' || c == '/' || c == ':'; });
    if (value.empty()) {
      return text.Wrong(fmt::format("found {}, expected the value of \"{}\"; write it in quotes",
                                    text.Found(), name));
    }
  }
  if (labels.Find(name) != nullptr) {
    return text.WrongAt(begin, fmt::format("the label \"{}\" is given twice", name));
  }
  labels.Set(name, value);
  return true;
}

// `{100:5,200:10,inf:1}`; `inf` may be left out: nothing lies above the last bound then.
bool ReadHistogram(Text& text, std::vector<double>& bounds, std::vector<std::int64_t>& counts) {
  const std::size_t begin = text.at();
  text.Take('{');
  bool above = false;
  do {
    text.Blanks();
    double bound = 0;
    const std::size_t here = text.at();
    if (text.rest().starts_with("inf") || text.rest().starts_with("+inf")) {
      text.While([](char c) { return c != ':' && c != '}' && c != ','; });
      above = true;
    } else if (above) {
      return text.Wrong("inf is the last bound: nothing may follow it");
    } else if (!text.Number(bound)) {
      return text.Wrong(
          fmt::format("found {}, expected an upper bound such as 250, or inf", text.Found()));
    } else if (!bounds.empty() && bound <= bounds.back()) {
      return text.WrongAt(here, fmt::format("the bounds must rise: {} does not lie above {}",
                                            FormatNumber(bound), FormatNumber(bounds.back())));
    } else {
      bounds.push_back(bound);
    }
    std::int64_t count = 0;
    if (!text.Take(':') || !text.Whole(count) || count < 0 || count > kCountMax) {
      return text.Wrong(fmt::format(
          "found {}, expected `bound:count`, a whole number of values at or below the bound and "
          "above the one before it",
          text.Found()));
    }
    counts.push_back(count);
    text.Blanks();
  } while (text.Take(','));
  if (!text.Take('}')) {
    return text.Wrong(fmt::format("found {}, expected , or }}", text.Found()));
  }
  if (!above) counts.push_back(0);
  if (bounds.empty()) return text.WrongAt(begin, "a histogram needs a bound besides inf");
  if (bounds.size() > kBoundsMax) return text.WrongAt(begin, "a histogram has at most 1000 bounds");
  return true;
}

// `xn`, how many samples follow the first one.
bool ReadTimes(Text& text, std::uint64_t& samples) {
  text.Take('x');
  std::int64_t times = 0;
  if (text.front() == '-' || !text.Whole(times) || times > static_cast<std::int64_t>(kSamplesMax)) {
    return text.Wrong(fmt::format("found {}, expected after x how many samples follow, at most {}",
                                  text.Found(), kSamplesMax));
  }
  samples = static_cast<std::uint64_t>(times);
  return true;
}

bool ReadHistogramRun(Text& text, Sequence::Run& run) {
  if (!ReadHistogram(text, run.bounds, run.counts)) return false;
  if (text.front() == '-') {
    return text.Wrong("the counts of a histogram can only grow: write {…}+{…}xn");
  }
  if (!text.Take('+')) return true;
  const std::size_t begin = text.at();
  std::vector<double> bounds;
  if (text.front() != '{') {
    return text.Wrong(
        fmt::format("found {}, expected the histogram that is added each time", text.Found()));
  }
  if (!ReadHistogram(text, bounds, run.counts_step)) return false;
  if (bounds != run.bounds) {
    return text.WrongAt(begin, "what is added must have the same bounds as the histogram before +");
  }
  return true;
}

bool ReadNumberRun(Text& text, Sequence::Run& run) {
  if (!text.Number(run.start)) {
    return text.Wrong(fmt::format(
        "found {}, expected a number, `a+bxn`, `a-bxn`, `axn`, `_` or `_xn`", text.Found()));
  }
  const bool minus = text.front() == '-';
  if (!minus && text.front() != '+') return true;
  text.Take(text.front());
  if (text.front() == '-' || !text.Number(run.step)) {
    return text.Wrong(fmt::format("found {}, expected by how much each sample {}", text.Found(),
                                  minus ? "falls" : "rises"));
  }
  if (minus) run.step = -run.step;
  if (text.front() != 'x') {
    return text.Wrong(
        fmt::format("found {}, expected x and how many samples follow", text.Found()));
  }
  return true;
}

bool ReadRun(Text& text, Sequence::Run& run) {
  if (text.rest().starts_with("stale")) {
    return text.Wrong(
        "stale is not a sample here: a series ends when nothing more comes of it; write _ for a "
        "sample that does not come");
  }
  const bool histogram = text.front() == '{';
  run.missing = text.Take('_');
  if (!run.missing) {
    if (!(histogram ? ReadHistogramRun(text, run) : ReadNumberRun(text, run))) return false;
  }
  const bool stepped = run.step != 0 || !run.counts_step.empty();
  if (text.front() == 'x') {
    if (!ReadTimes(text, run.samples)) return false;
    if (!run.missing) ++run.samples;
  } else if (stepped) {
    return text.Wrong(
        fmt::format("found {}, expected x and how many samples follow", text.Found()));
  }
  if (!text.done() && text.front() != ' ' && text.front() != '\t' && text.front() != '\n') {
    return text.Wrong(
        fmt::format("found {}, expected a blank before the next sample", text.Found()));
  }
  return true;
}

}  // namespace

std::optional<Selector> ReadSelector(std::string_view source, Fault& fault) {
  Text text(source, fault);
  Selector selector;
  text.Blanks();
  selector.metric = text.While([](char c) { return IsWord(c) || c == ':' || c == '.'; });
  if (selector.metric.empty()) {
    text.Wrong(fmt::format("found {}, expected a metric's name", text.Found()));
    return std::nullopt;
  }
  text.Blanks();
  if (text.Take('{')) {
    text.Blanks();
    bool more = text.front() != '}';
    while (more) {
      text.Blanks();
      if (!ReadLabel(text, selector.labels)) return std::nullopt;
      text.Blanks();
      more = text.Take(',');
    }
    if (!text.Take('}')) {
      text.Wrong(fmt::format("found {}, expected , or }}", text.Found()));
      return std::nullopt;
    }
  }
  text.Blanks();
  if (!text.done()) {
    text.Wrong(fmt::format("found {}, expected nothing after the series", text.Found()));
    return std::nullopt;
  }
  return selector;
}

std::optional<Sequence> ReadSequence(std::string_view source, Fault& fault) {
  Text text(source, fault);
  std::vector<Sequence::Run> runs;
  std::uint64_t samples = 0;
  for (text.Blanks(); !text.done(); text.Blanks()) {
    const std::size_t begin = text.at();
    if (!ReadRun(text, runs.emplace_back())) return std::nullopt;
    samples += runs.back().samples;
    if (samples > kSamplesMax) {
      text.WrongAt(begin, fmt::format("a series has at most {} samples", kSamplesMax));
      return std::nullopt;
    }
  }
  if (samples == 0) {
    text.WrongAt(0, "there is no sample: write values such as 100x60");
    return std::nullopt;
  }
  return Sequence(std::move(runs));
}

double Sample::Sum() const {
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    sum += bounds[std::min(i, bounds.size() - 1)] * static_cast<double>(counts[i]);
  }
  return sum;
}

std::uint64_t Sequence::size() const {
  std::uint64_t samples = 0;
  for (const Run& run : runs_) samples += run.samples;
  return samples;
}

bool Sequence::histograms() const {
  return std::any_of(runs_.begin(), runs_.end(), [](const Run& r) { return !r.bounds.empty(); });
}

bool Sequence::numbers() const {
  return std::any_of(runs_.begin(), runs_.end(),
                     [](const Run& r) { return !r.missing && r.bounds.empty(); });
}

double Sequence::Least() const {
  double least = 0;
  bool any = false;
  for (const Run& run : runs_) {
    if (run.missing || !run.bounds.empty() || run.samples == 0) continue;
    const double last = run.start + run.step * static_cast<double>(run.samples - 1);
    least = any ? std::min({least, run.start, last}) : std::min(run.start, last);
    any = true;
  }
  return least;
}

bool Sequence::Reader::Next(Sample& sample) {
  while (run_ < runs_.size() && index_ >= runs_[run_].samples) {
    ++run_;
    index_ = 0;
  }
  if (run_ >= runs_.size()) return false;
  const Run& run = runs_[run_];
  sample.missing = run.missing;
  sample.number = run.start + run.step * static_cast<double>(index_);
  sample.bounds = run.bounds;
  sample.counts.clear();
  for (std::size_t i = 0; i < run.counts.size(); ++i) {
    const std::int64_t step = run.counts_step.empty() ? 0 : run.counts_step[i];
    sample.counts.push_back(
        static_cast<std::uint64_t>(run.counts[i] + step * static_cast<std::int64_t>(index_)));
  }
  ++index_;
  return true;
}

}  // namespace liveops::rehearse
