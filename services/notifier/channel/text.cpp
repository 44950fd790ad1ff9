#include "services/notifier/channel/text.h"

#include <algorithm>
#include <cmath>

#include "common/base/hash.h"
#include "common/base/text.h"

namespace liveops::notifier {
namespace {

const Words& First(Language language) {
  return language == Language::kKorean ? KoreanWords() : EnglishWords();
}

std::string Both(Language language, const std::string& english, const std::string& korean) {
  switch (language) {
    case Language::kEnglish:
      return english;
    case Language::kKorean:
      return korean;
    case Language::kBoth:
      return english + " / " + korean;
  }
  return english;
}

// "1 h 30 min", in whole seconds.
std::string TimeIn(Duration time, const Words& words) {
  constexpr std::int64_t kSeconds[] = {86'400, 3600, 60, 1};
  std::int64_t left = time.count() / 1000;
  std::string out;
  for (std::size_t i = 0; i < std::size(kSeconds); ++i) {
    const std::int64_t n = left / kSeconds[i];
    left %= kSeconds[i];
    if (n > 0) out += (out.empty() ? "" : " ") + std::to_string(n) + words.units[i];
  }
  return out;
}

std::string ResponseIn(const Page& page, const Words& words) {
  const plan::Response response = page.response.value_or(plan::DefaultResponse(page.severity));
  if (response.next_business_day()) return words.respond_next_day;
  std::string out =
      page.severity == plan::Severity::kCritical ? words.respond_critical : words.respond_within;
  return out.replace(out.find("{}"), 2, TimeIn(response.within, words));
}

std::string Place(const Page& page) {
  std::string out = OneLine(page.service) + " " + OneLine(page.name);
  if (!page.labels.empty()) out += " " + OneLine(page.labels);
  return out;
}

// The text with its marks {} replaced, in their order.
std::string Filled(std::string text, std::initializer_list<std::string> parts) {
  std::size_t at = 0;
  for (const std::string& part : parts) {
    at = text.find("{}", at);
    if (at == std::string::npos) break;
    text.replace(at, 2, part);
    at += part.size();
  }
  return text;
}

// "CRITICAL, up from HIGH", "HIGH, FLAPPING"
std::string SeverityIn(const Page& page, const Words& words) {
  const auto word = [&](plan::Severity s) {
    return std::string(words.severity[static_cast<std::size_t>(s)]);
  };
  std::string out = word(page.severity);
  if (page.severity_before && *page.severity_before != page.severity) {
    // Worse severities are lesser.
    const char* how = page.severity < *page.severity_before ? words.up_from : words.down_from;
    out += ", " + Filled(how, {word(*page.severity_before)});
  }
  if (page.swings > 0) out += std::string(", ") + words.flaps;
  return out;
}

// "1,243"
std::string Thousands(double number) {
  std::string out = FormatNumber(std::round(number));
  for (std::size_t at = out.size(); at > 3;) {
    at -= 3;
    out.insert(at, ",");
  }
  return out;
}

std::string FlappingIn(const Page& page, const Words& words) {
  if (page.swings == 0) return "";
  const std::string times = std::to_string(page.swings);
  if (page.notice == Notice::kResolved) return Filled(words.flapped, {times});
  return Filled(words.flapping,
                {times, TimeIn(page.flaps_within, words), TimeIn(page.quiet, words)});
}

const char* ClosedWord(const Words& words, Phase phase, std::string_view reason) {
  if (phase == Phase::kWithdrawn && reason == "shadowed") return words.shadowed;
  if (phase == Phase::kGone && reason == "decommissioned") return words.decommissioned;
  switch (phase) {
    case Phase::kGone:
      return words.gone;
    case Phase::kWithdrawn:
      return words.withdrawn;
    case Phase::kReplaced:
      return words.replaced;
    default:
      return words.resolved;
  }
}

std::string RemedyHeadline(const Page& page, const Words& words) {
  const PageRemedy empty;
  const PageRemedy& remedy = page.remedies.empty() ? empty : page.remedies.front();
  const std::string what = OneLine(remedy.description);
  if (page.notice == Notice::kRemedyProposed) {
    return std::string(words.remedy_proposed) + ": " + OneLine(page.service) + ": " + what;
  }
  return OneLine(page.service) + ": " + what + ": " +
         words.remedy_end[static_cast<std::size_t>(remedy.end)];
}

// A word of the table, which begins with a capital, in the middle of a sentence.
std::string MidSentence(std::string_view word) {
  std::string out(word);
  if (!out.empty() && out.front() >= 'A' && out.front() <= 'Z') out.front() += 'a' - 'A';
  return out;
}

std::string HeadlineIn(const Page& page, const Words& words) {
  const std::string place = Place(page);
  switch (page.notice) {
    case Notice::kRemedyProposed:
    case Notice::kRemedyClosed:
      return RemedyHeadline(page, words);
    case Notice::kAcknowledged:
      return place + ": " + words.taken_by + " " + OneLine(page.acknowledged_by);
    case Notice::kResolved: {
      std::string out = std::string(ClosedWord(words, page.phase, page.reason)) + ": " + place;
      if (!std::isnan(page.value)) out += ", " + MidSentence(words.now) + " " + ValueText(page);
      if (page.duration > Duration::zero()) {
        out += ", " + MidSentence(words.lasted) + " " + FormatElapsed(page.duration);
      }
      return out;
    }
    case Notice::kStale:
      return SeverityIn(page, words) + ", " + words.stale + ": " + place + ": " +
             Filled(words.not_heard, {TimeText(page.heard)});
    case Notice::kNoData:
      return SeverityIn(page, words) + ", " + words.no_data + ": " + place + ": " + words.silent;
    case Notice::kFiring:
    case Notice::kEased:
      if (page.groups_refused > 0) {
        return SeverityIn(page, words) + ": " + place + ": " +
               Filled(page.unit == "series"   ? words.more_series
                      : page.unit == "alerts" ? words.more_alerts
                                              : words.more,
                      {Thousands(page.threshold),
                       Thousands(static_cast<double>(page.groups_refused))});
      }
      if (!page.origin.empty()) {
        const std::string what = OneLine(page.summary);
        return SeverityIn(page, words) + ": " + place + (what.empty() ? "" : ": " + what);
      }
      return SeverityIn(page, words) + ": " + place + " " + ValueText(page) + " (" +
             MidSentence(words.limit) + " " + LimitText(page) + ")";
  }
  return place;
}

}  // namespace

std::optional<Language> ParseLanguage(std::string_view word) {
  if (word == "en") return Language::kEnglish;
  if (word == "ko") return Language::kKorean;
  if (word == "both") return Language::kBoth;
  return std::nullopt;
}

std::string DedupKey(std::string_view alarm_id, Instant episode) {
  const std::string ms = std::to_string(ToMs(episode));
  const std::string_view parts[] = {alarm_id, ms};
  return Hex(Sha256Of(parts));
}

std::string OneLine(std::string_view text) {
  std::string out = ScrubUtf8(text);
  std::string clean;
  clean.reserve(out.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto c = static_cast<unsigned char>(out[i]);
    // C1 controls are two bytes in UTF-8 (U+0080..U+009F); some terminals obey them.
    const bool c1 =
        c == 0xc2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xa0;
    if (c1) ++i;
    clean.push_back(c < 0x20 || c == 0x7f || c1 ? ' ' : static_cast<char>(c));
  }
  return clean;
}

std::size_t CountCharacters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string CutCharacters(std::string_view text, std::size_t limit) {
  if (CountCharacters(text) <= limit) return std::string(text);
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) continue;
    if (++seen == limit) return std::string(text.substr(0, i)) + "…";
  }
  return std::string(text);
}

std::string Headline(const Page& page, Language language) {
  return HeadlineIn(page, First(language));
}

std::string SecondHeadline(const Page& page, Language language) {
  return language == Language::kBoth ? HeadlineIn(page, KoreanWords()) : "";
}

std::string Say(Language language, const char* const Words::*word) {
  return Both(language, EnglishWords().*word, KoreanWords().*word);
}

std::string SaySeverity(Language language, plan::Severity severity) {
  const auto i = static_cast<std::size_t>(severity);
  return Both(language, EnglishWords().severity[i], KoreanWords().severity[i]);
}

std::string SayResponse(Language language, const Page& page) {
  return Both(language, ResponseIn(page, EnglishWords()), ResponseIn(page, KoreanWords()));
}

std::string SayFlapping(Language language, const Page& page) {
  if (page.swings == 0) return "";
  return Both(language, FlappingIn(page, EnglishWords()), FlappingIn(page, KoreanWords()));
}

std::string SayEnd(Language language, RemedyEnd end) {
  const auto i = static_cast<std::size_t>(end);
  return Both(language, EnglishWords().remedy_end[i], KoreanWords().remedy_end[i]);
}

std::string ValueText(const Page& page) {
  std::string out = FormatValue(page.value, OneLine(page.unit));
  const bool estimate = !std::isnan(page.value_low) && !std::isnan(page.value_high) &&
                        page.value_low != page.value_high;
  if (estimate) {
    out += " (" + FormatNumber(page.value_low) + " to " +
           FormatValue(page.value_high, OneLine(page.unit)) + ")";
  }
  if (!page.compared.empty()) out += " (" + OneLine(page.compared) + ")";
  return out;
}

std::string SayRefused(Language language, const Page& page) {
  if (page.unit == "series") return Say(language, &Words::series_refused);
  return Say(language, page.unit == "alerts" ? &Words::alerts_refused : &Words::more_refused);
}

std::string LimitText(const Page& page) {
  return OneLine(page.comparison) + " " + FormatValue(page.threshold, OneLine(page.unit));
}

std::string ShareText(Language language, const PageContribution& contribution,
                      std::string_view unit) {
  if (std::isnan(contribution.value)) {
    return OneLine(contribution.label) + "  " + Say(language, &Words::silent);
  }
  std::string out =
      OneLine(contribution.label) + "  " + FormatValue(contribution.value, OneLine(unit));
  if (contribution.share > 0) {
    out += " (" + FormatNumber(std::round(contribution.share * 1000) / 10) + " %)";
  }
  return out;
}

std::string TraceText(Language language, const PageTrace& trace) {
  return OneLine(trace.value) + (trace.failed ? ", " + Say(language, &Words::failed) : "");
}

std::string TimeText(Instant t) {
  std::string out = FormatUtc(ToMs(t)).substr(0, 19);
  out[10] = ' ';
  return out + " UTC";
}

std::string ApproveCommand(std::string_view remediation_id) {
  return "liveopsctl remediations approve " + OneLine(remediation_id);
}

std::string AcknowledgeCommand(std::string_view alarm_id) {
  const std::string id = OneLine(alarm_id);
  const bool plain = std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '-' || c == '_' || c == '.' || c == ':';
  });
  if (plain) return "liveopsctl alarms ack " + id;
  std::string quoted;
  for (const char c : id) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return "liveopsctl alarms ack '" + quoted + "'";
}

std::string SafeLink(std::string_view url) {
  if (!url.starts_with("https://") && !url.starts_with("http://")) return "";
  if (url.size() > 2000 || !IsValidUtf8(url)) return "";
  const bool safe = std::none_of(url.begin(), url.end(), [](char c) {
    const auto b = static_cast<unsigned char>(c);
    return b <= 0x20 || b == 0x7f || c == '<' || c == '>' || c == '|' || c == '"' || c == '`';
  });
  return safe ? std::string(url) : "";
}

}  // namespace liveops::notifier
