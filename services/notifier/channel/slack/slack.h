#pragma once

#include <string>

#include "services/notifier/channel/answer.h"
#include "services/notifier/channel/page.h"

// Slack by incoming webhook: https://api.slack.com/messaging/webhooks, Block Kit:
// https://api.slack.com/reference/block-kit. Pure.
namespace liveops::notifier::slack {

// The JSON body. Within Slack's limits: 50 blocks, header 150, section 3000, 10 fields of 2000,
// about 13,000 characters in all. `&`, `<` and `>` are escaped everywhere, so that no label can
// mention a channel or forge a link.
std::string Render(const Page& page, Language language);

// The text with `&`, `<`, `>` as entities, at most `limit` characters after escaping.
std::string Escape(std::string_view text, std::size_t limit);

// 200 with the plain text `ok` is a delivery; the rest as HTTP means it.
Reading ReadAnswer(const Answer& answer);

}  // namespace liveops::notifier::slack
