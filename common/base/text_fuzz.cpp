// Times and texts as people and senders write them.
#include <string>

#include "common/base/text.h"
#include "common/base/time.h"
#include "common/testing/fuzz.h"

namespace liveops::fuzz {

std::vector<std::string> Seeds() {
  return {"90s",
          "1h30min",
          "250ms",
          "1w2d3h4min5s6ms",
          "2026-02-04T09:15:00.250Z",
          "2026-02-04T09:15:00Z",
          "größe \xc3 \xed\xa0\x80 \xf4\x90\x80\x80"};
}

std::vector<std::string> Words() {
  return {"ms", "s", "sec", "m", "min", "h", "hr", "d", "w", "T", "Z", "-02-29", "9999-", "0001-"};
}

void Run(std::string_view input) {
  if (const auto duration = ParseDuration(input)) {
    const auto again = ParseDuration(FormatDuration(*duration));
    Demand(again.ok() && *again == *duration, "a duration reads back as it was written");
    (void)FormatElapsed(*duration);
  }
  if (const auto ms = ParseUtc(input)) {
    const auto again = ParseUtc(FormatUtc(*ms));
    Demand(again && *again == *ms, "a time reads back as it was written");
  }
  const std::string scrubbed = ScrubUtf8(input);
  Demand(IsValidUtf8(scrubbed), "what was scrubbed is UTF-8");
  Demand(IsValidUtf8(input) == (scrubbed == input), "only what is not UTF-8 is changed");
  Demand(!IsPlainText(input) || IsValidUtf8(input), "plain text is UTF-8");
  for (const std::size_t limit : {0, 1, 2, 3, 4, 7, 40}) {
    const std::string cut = Truncate(scrubbed, limit);
    Demand(IsValidUtf8(cut), "a cut falls between characters");
    Demand(cut.size() <= limit, "what was cut is short enough");
  }
}

}  // namespace liveops::fuzz
