#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/notifier/channel/page.h"
#include "services/notifier/channel/words.h"

// A page as sentences, before any provider's markup. Pure.
namespace liveops::notifier {

// Valid UTF-8 on one line: malformed bytes become U+FFFD, control characters (line ends, ANSI
// escapes, NUL) a space.
std::string OneLine(std::string_view text);

// At most `limit` characters (code points), ending with "…" when something was cut.
std::string CutCharacters(std::string_view text, std::size_t limit);
std::size_t CountCharacters(std::string_view text);

// What broke, where, how bad: `CRITICAL: backend-api error-rate is 2.4 % (limit > 1 %)`. For kBoth:
// the English one.
std::string Headline(const Page& page, Language language);
// For kBoth the Korean one, else "".
std::string SecondHeadline(const Page& page, Language language);

// A word in the page's language, "English / 한국어" for kBoth.
std::string Say(Language language, const char* const Words::*word);
std::string SaySeverity(Language language, plan::Severity severity);
// How soon an answer is expected: "at once, within 5 min".
std::string SayResponse(Language language, const Page& page);
// What is to be said of an alarm that flaps; "" of one that does not.
std::string SayFlapping(Language language, const Page& page);
// Of an overflow: what it means.
std::string SayRefused(Language language, const Page& page);
std::string SayEnd(Language language, RemedyEnd end);

// "2.4 %", with its bounds when it is an estimate: "512 ms (500 ms to 524 ms)".
std::string ValueText(const Page& page);
std::string LimitText(const Page& page);  // "> 1 %"
// "endpoint=/games  12 (40 %)"; of what has no value, "pod=c  no data arrives".
std::string ShareText(Language language, const PageContribution& contribution,
                      std::string_view unit);
std::string TraceText(Language language, const PageTrace& trace);  // "612 ms, failed"
std::string TimeText(Instant t);                                   // "2026-02-04 09:15:00 UTC"

std::string ApproveCommand(
    std::string_view remediation_id);                       // liveopsctl remediations approve <id>
std::string AcknowledgeCommand(std::string_view alarm_id);  // quoted for a shell

// http(s) without characters that end a link in some markup; "" otherwise.
std::string SafeLink(std::string_view url);

}  // namespace liveops::notifier
