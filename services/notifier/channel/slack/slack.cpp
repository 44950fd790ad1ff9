#include "services/notifier/channel/slack/slack.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "services/notifier/channel/text.h"

namespace liveops::notifier::slack {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kHeaderMax = 150;
constexpr std::size_t kFieldMax =
    400;  // Slack takes 2000; ten of these keep the whole under 13,000
constexpr std::size_t kSectionMax = 1500;  // Slack takes 3000
constexpr std::size_t kLinkMax = 600;      // of two
constexpr std::size_t kListMax = 5;
constexpr std::size_t kTracesMax = 3;

// Text inside a code span or block: a backtick would end it.
std::string Code(std::string_view text, std::size_t limit) {
  std::string plain = OneLine(text);
  for (char& c : plain) {
    if (c == '`') c = '\'';
  }
  return Escape(plain, limit);
}

Json Mrkdwn(std::string text) {
  return {{"type", "mrkdwn"}, {"text", std::move(text)}, {"verbatim", true}};
}

void Section(Json& blocks, std::string text) {
  blocks.push_back({{"type", "section"}, {"text", Mrkdwn(std::move(text))}});
}

void Context(Json& blocks, std::string text) {
  blocks.push_back({{"type", "context"}, {"elements", Json::array({Mrkdwn(std::move(text))})}});
}

const char* Emoji(const Page& page) {
  switch (page.notice) {
    case Notice::kResolved:
      return ":large_green_circle: ";
    case Notice::kAcknowledged:
      return ":raising_hand: ";
    case Notice::kRemedyProposed:
      return ":wrench: ";
    case Notice::kRemedyClosed: {
      const bool good = !page.remedies.empty() && page.remedies[0].end == RemedyEnd::kVerified;
      return good ? ":white_check_mark: " : ":warning: ";
    }
    case Notice::kNoData:
    case Notice::kStale:
      return ":black_circle: ";
    case Notice::kEased:
    case Notice::kFiring:
      break;
  }
  switch (page.severity) {
    case plan::Severity::kCritical:
      return ":red_circle: ";
    case plan::Severity::kHigh:
      return ":large_orange_circle: ";
    case plan::Severity::kMedium:
      return ":large_yellow_circle: ";
    case plan::Severity::kLow:
      return ":large_blue_circle: ";
  }
  return "";
}

class Fields {
 public:
  explicit Fields(Language language) : language_(language) {}
  void Add(const char* const Words::*label, const std::string& value) {
    if (value.empty() || fields_.size() == 10) return;
    fields_.push_back(
        Mrkdwn("*" + Say(language_, label) + "*\n" + Escape(OneLine(value), kFieldMax)));
  }
  void AppendTo(Json& blocks) const {
    if (!fields_.empty()) blocks.push_back({{"type", "section"}, {"fields", fields_}});
  }

 private:
  Language language_;
  Json fields_ = Json::array();
};

void AddOpeningFields(Json& blocks, const Page& page, Language language) {
  Fields fields(language);
  if (!std::isnan(page.value)) fields.Add(&Words::now, ValueText(page));
  const bool foreign = !page.origin.empty();
  fields.Add(&Words::told_by, page.origin);
  if (foreign) fields.Add(&Words::last_told, TimeText(page.heard));
  if (!foreign) {
    fields.Add(&Words::limit, LimitText(page) + (page.hold > Duration::zero()
                                                     ? ", " + Say(language, &Words::held) + " " +
                                                           FormatDuration(page.hold)
                                                     : ""));
  }
  fields.Add(&Words::since, TimeText(page.since) + " (" + FormatElapsed(page.clock - page.since) +
                                " " + Say(language, &Words::ago) + ")");
  fields.Add(&Words::response, SayResponse(language, page));
  fields.Add(&Words::owner, page.owner);
  std::string window = FormatDuration(page.window);
  if (page.points > 0) {
    window += ", " + std::to_string(page.points) + " " + Say(language, &Words::events);
  }
  if (!foreign) fields.Add(&Words::window, window);
  if (!page.acknowledged_by.empty()) fields.Add(&Words::taken_by, page.acknowledged_by);
  fields.AppendTo(blocks);
}

void AddClosingFields(Json& blocks, const Page& page, Language language) {
  Fields fields(language);
  if (!std::isnan(page.value)) fields.Add(&Words::recovered_to, ValueText(page));
  if (!std::isnan(page.peak)) {
    fields.Add(&Words::peak, FormatValue(page.peak, OneLine(page.unit)));
  }
  if (page.duration > Duration::zero()) fields.Add(&Words::lasted, FormatElapsed(page.duration));
  fields.Add(&Words::told_by, page.origin);
  if (page.origin.empty()) fields.Add(&Words::limit, LimitText(page));
  fields.Add(&Words::owner, page.owner);
  fields.Add(&Words::taken_by, page.acknowledged_by);
  fields.AppendTo(blocks);
}

void AddTop(Json& blocks, const Page& page, Language language) {
  if (page.top.empty()) return;
  std::string text = "*" + Say(language, &Words::top) + "*";
  for (std::size_t i = 0; i < page.top.size() && i < kListMax; ++i) {
    text += "\n• " + Escape(ShareText(language, page.top[i], page.unit), 200);
  }
  Section(blocks, text);
}

void AddChanges(Json& blocks, const Page& page, Language language) {
  std::string text = "*" + Say(language, &Words::changed) + "*";
  if (page.changes.empty()) text += "\n" + Say(language, &Words::nothing_changed);
  for (std::size_t i = 0; i < page.changes.size() && i < kListMax; ++i) {
    const PageChange& change = page.changes[i];
    text += "\n• " + Escape(OneLine(change.description), 300) + "  (" + TimeText(change.time) +
            ", " + FormatElapsed(page.clock - change.time) + " " + Say(language, &Words::ago) + ")";
  }
  Section(blocks, text);
}

void AddErrorLines(Json& blocks, const Page& page, Language language) {
  if (page.error_lines.empty()) return;
  std::string text = "*" + Say(language, &Words::error_lines) + "*";
  for (std::size_t i = 0; i < page.error_lines.size() && i < kListMax; ++i) {
    const PageLine& line = page.error_lines[i];
    text += "\n• " + TimeText(line.time) + "  ";
    if (!line.endpoint.empty()) text += "`" + Code(line.endpoint, 80) + "` ";
    text += Escape(OneLine(line.message), 300);
  }
  Section(blocks, CutCharacters(text, kSectionMax));
}

void AddTraces(Json& blocks, const Page& page, Language language) {
  if (page.traces.empty()) return;
  std::string text = "*" + Say(language, &Words::traces) + "*";
  for (std::size_t i = 0; i < page.traces.size() && i < kTracesMax; ++i) {
    const PageTrace& trace = page.traces[i];
    text += "\n• `" + Code(trace.trace_id, 32) + "`  ";
    if (!trace.operation.empty()) text += "`" + Code(trace.operation, 60) + "` ";
    text += Escape(TraceText(language, trace), 40) + "  " + TimeText(trace.time);
  }
  Section(blocks, CutCharacters(text, kSectionMax));
}

void AddProposal(Json& blocks, const PageRemedy& remedy, Language language) {
  std::string text = ":wrench: *" + Say(language, &Words::remedy) +
                     "*: " + Escape(OneLine(remedy.description), 400);
  if (!remedy.condition.empty()) {
    text += "\n" + Say(language, &Words::seen) + ": " + Escape(OneLine(remedy.condition), 300);
  }
  text += "\n" + Say(language, &Words::runs) + ": `" + Code(remedy.command, 400) + "`";
  text += "\n" + Say(language, &Words::approver) + ": " + Escape(OneLine(remedy.approver), 100) +
          ", " + Say(language, &Words::until) + " " + TimeText(remedy.expires);
  text += "\n" + Say(language, &Words::approve) + ":\n```" + Code(ApproveCommand(remedy.id), 200) +
          "```";
  Section(blocks, CutCharacters(text, kSectionMax));
}

void AddRemedyEnd(Json& blocks, const PageRemedy& remedy, Language language) {
  std::string text = "*" + Say(language, &Words::remedy) +
                     "*: " + Escape(OneLine(remedy.description), 400) + "\n*" +
                     SayEnd(language, remedy.end) + "*";
  if (!remedy.end_detail.empty()) text += "\n" + Escape(OneLine(remedy.end_detail), 500);
  if (!remedy.approved_by.empty()) {
    text +=
        "\n" + Say(language, &Words::approved_by) + " " + Escape(OneLine(remedy.approved_by), 100);
  }
  Section(blocks, text);
}

// What is over, or has nothing to run, is not there to be approved.
void AddRemedy(Json& blocks, const PageRemedy& remedy, Language language) {
  if (remedy.end == RemedyEnd::kOpen) return AddProposal(blocks, remedy, language);
  AddRemedyEnd(blocks, remedy, language);
}

// A context element holds 2000 characters, and half a link leads nowhere.
void AddLink(std::string& text, const std::string& url, const std::string& word) {
  const std::string link = SafeLink(url);
  if (!link.empty() && Escape(link, kLinkMax + 1).size() <= kLinkMax) {
    text += "  <" + Escape(link, 2000) + "|" + word + ">";
  } else if (!url.empty()) {
    text += "  " + word + ": " + Escape(OneLine(url), 200);
  }
}

void AddFoot(Json& blocks, const Page& page, Language language) {
  std::string text = "`" + Code(page.alarm_id, 300) + "`";
  if (!page.expression.empty()) text += "  `" + Code(page.expression, 300) + "`";
  if (page.plan_version > 0) {
    text += "  " + Say(language, &Words::plan) + " v" + std::to_string(page.plan_version);
  }
  AddLink(text, page.runbook, Say(language, &Words::runbook));
  AddLink(text, page.link, Say(language, &Words::source));
  Context(blocks, text);
}

}  // namespace

std::string Escape(std::string_view text, std::size_t limit) {
  std::string out;
  std::size_t count = 0;
  std::size_t cut = 0;  // where to cut so that the ellipsis still fits
  for (std::size_t i = 0; i < text.size();) {
    std::size_t size = 1;
    while (i + size < text.size() && (static_cast<unsigned char>(text[i + size]) & 0xc0) == 0x80) {
      ++size;
    }
    const std::string_view one = text.substr(i, size);
    const std::string_view as = one == "&"   ? std::string_view("&amp;")
                                : one == "<" ? std::string_view("&lt;")
                                : one == ">" ? std::string_view("&gt;")
                                             : one;
    const std::size_t width = size > 1 ? 1 : as.size();
    if (count + width > limit) return out.substr(0, cut) + (limit > 0 ? "…" : "");
    out.append(as);
    count += width;
    if (count < limit) cut = out.size();
    i += size;
  }
  return out;
}

std::string Render(const Page& page, Language language) {
  const std::string headline = Headline(page, language);
  Json blocks = Json::array();
  const std::string emoji = Emoji(page);
  blocks.push_back({{"type", "header"},
                    {"text",
                     {{"type", "plain_text"},
                      {"text", emoji + Escape(headline, kHeaderMax - CountCharacters(emoji))},
                      {"emoji", true}}}});
  if (page.may_repeat) {
    Section(blocks, ":repeat: _" + Say(language, &Words::may_repeat) + "_");
  }
  const std::string second = SecondHeadline(page, language);
  if (!second.empty()) Section(blocks, "*" + Escape(second, 600) + "*");
  const std::string flapping = SayFlapping(language, page);
  if (!flapping.empty()) Section(blocks, ":repeat: " + Escape(flapping, 600));
  if (page.groups_refused > 0) {
    Section(blocks, SayRefused(language, page));
  }
  const bool opening = IsOpening(page.notice);
  if (!page.summary.empty() && opening) Section(blocks, Escape(OneLine(page.summary), 600));
  if (opening) {
    AddOpeningFields(blocks, page, language);
    AddTop(blocks, page, language);
    AddChanges(blocks, page, language);
    AddErrorLines(blocks, page, language);
    AddTraces(blocks, page, language);
    for (std::size_t i = 0; i < page.remedies.size() && i < 3; ++i) {
      AddRemedy(blocks, page.remedies[i], language);
    }
    Section(blocks, Say(language, &Words::take) + ": `" +
                        Code(AcknowledgeCommand(page.alarm_id), 400) + "`");
  } else if (page.notice == Notice::kEased) {
    AddOpeningFields(blocks, page, language);
  } else if (page.notice == Notice::kResolved) {
    AddClosingFields(blocks, page, language);
  } else if (page.notice == Notice::kRemedyProposed && !page.remedies.empty()) {
    AddRemedy(blocks, page.remedies.front(), language);
  } else if (page.notice == Notice::kRemedyClosed && !page.remedies.empty()) {
    AddRemedyEnd(blocks, page.remedies.front(), language);
  }
  AddFoot(blocks, page, language);
  const Json body = {{"text", Escape(headline, 600)}, {"blocks", std::move(blocks)}};
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Reading ReadAnswer(const Answer& answer) {
  if (!answer.answered || answer.status < 200 || answer.status >= 300) return ReadFailure(answer);
  if (answer.status == 200 && Trim(answer.body) == "ok") {
    return {Outcome::kDelivered, Health::kAnswered, std::nullopt, "ok"};
  }
  // Something between us and Slack answered in its stead, or Slack changed its mind: nobody knows.
  return {Outcome::kUnknown, Health::kFailed, std::nullopt,
          "HTTP " + std::to_string(answer.status) +
              " without Slack's \"ok\": " + CutCharacters(OneLine(Trim(answer.body)), 160)};
}

}  // namespace liveops::notifier::slack
