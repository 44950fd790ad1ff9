#include <set>

#include "deploy/local/sink/fields.h"

namespace liveops::sink {
namespace {

using nlohmann::json;

constexpr std::size_t kCharactersMax = 13'000;  // of a whole message

// Everything that a message's parts share while it is checked.
struct Message {
  Violations& violations;
  std::size_t characters = 0;
  std::set<std::string> block_ids;
};

// `<…>` is Slack's own: a link, or a mention of a person, channel, group or date. Whatever else
// holds `<`, `>` or `&` was not escaped.
void CheckEscapes(const std::string& text, const std::string& path, Violations& violations) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::string_view rest = std::string_view(text).substr(at);
    if (text[at] == '&' && !rest.starts_with("&amp;") && !rest.starts_with("&lt;") &&
        !rest.starts_with("&gt;")) {
      violations.push_back(path + ": an & that is not escaped");
    } else if (text[at] == '>') {
      violations.push_back(path + ": a > that is not escaped");
    } else if (text[at] == '<') {
      const std::size_t end = text.find('>', at);
      const std::string_view inside = rest.substr(1, end == std::string::npos ? 0 : end - at - 1);
      const bool link = inside.starts_with("http://") || inside.starts_with("https://") ||
                        inside.starts_with("mailto:");
      const bool mention = inside.starts_with("@") || inside.starts_with("#") ||
                           inside.starts_with("!subteam^") || inside.starts_with("!date^");
      if (inside.starts_with("!channel") || inside.starts_with("!here") ||
          inside.starts_with("!everyone")) {
        violations.push_back(path + ": mentions everybody (<" + std::string(inside) + ">)");
      } else if (!link && !mention) {
        violations.push_back(path + ": a < that is not escaped");
        continue;
      }
      at = end;
    }
  }
}

// A text object: {"type": "plain_text" | "mrkdwn", "text": …}.
void CheckText(const json& object, const std::string& path, std::size_t max, bool plain_only,
               Message& message) {
  Fields fields(object, path, message.violations);
  if (!fields.is_object()) return;
  fields.Allow({"type", "text", "emoji", "verbatim"});
  const std::string type = plain_only ? fields.Word("type", {"plain_text"}, true)
                                      : fields.Word("type", {"plain_text", "mrkdwn"}, true);
  const std::string text = fields.Text("text", max, true);
  fields.Flag("emoji");
  fields.Flag("verbatim");
  if (type == "mrkdwn" && fields.Find("emoji") != nullptr) {
    fields.Note("emoji", "goes with plain_text only");
  }
  message.characters += CharactersOf(text);
  if (type == "mrkdwn") CheckEscapes(text, path + ".text", message.violations);
}

void CheckImage(Fields& fields, Message& message, const std::string& path, bool block) {
  fields.Url("image_url", 3000, true);
  fields.Text("alt_text", 2000, true);
  if (block && fields.Find("title") != nullptr) {
    CheckText(*fields.Find("title"), path + ".title", 2000, true, message);
  }
}

void CheckElement(const json& element, const std::string& path, Message& message) {
  Fields fields(element, path, message.violations);
  if (!fields.is_object()) return;
  const std::string type =
      fields.Word("type", {"button", "overflow", "static_select", "image"}, true);
  if (type == "image") {
    fields.Allow({"type", "image_url", "alt_text"});
    CheckImage(fields, message, path, /*block=*/false);
  } else if (type == "button") {
    fields.Allow(
        {"type", "text", "action_id", "url", "value", "style", "confirm", "accessibility_label"});
    if (const json* text = fields.Find("text")) {
      CheckText(*text, path + ".text", 75, true, message);
    } else {
      fields.Note("text", "is missing");
    }
    fields.Text("action_id", 255, false);
    fields.Text("value", 2000, false);
    fields.Url("url", 3000, false);
    fields.Word("style", {"primary", "danger"}, false);
    fields.Text("accessibility_label", 75, false);
  }
}

void CheckSection(Fields& fields, const std::string& path, Message& message) {
  fields.Allow({"type", "block_id", "text", "fields", "accessory", "expand"});
  const json* text = fields.Find("text");
  if (text != nullptr) CheckText(*text, path + ".text", 3000, false, message);
  const json* list = fields.List("fields", 10, false);
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    CheckText((*list)[i], path + ".fields[" + std::to_string(i) + "]", 2000, false, message);
  }
  if (text == nullptr && list == nullptr) fields.Note("text", "a section needs text or fields");
  if (const json* accessory = fields.Find("accessory")) {
    CheckElement(*accessory, path + ".accessory", message);
  }
}

void CheckContext(Fields& fields, const std::string& path, Message& message) {
  fields.Allow({"type", "block_id", "elements"});
  const json* elements = fields.List("elements", 10, true);
  for (std::size_t i = 0; elements != nullptr && i < elements->size(); ++i) {
    const json& element = (*elements)[i];
    const std::string at = path + ".elements[" + std::to_string(i) + "]";
    if (element.is_object() && element.value("type", json()) == "image") {
      CheckElement(element, at, message);
    } else {
      CheckText(element, at, 2000, false, message);
    }
  }
}

void CheckBlock(const json& block, const std::string& path, Message& message) {
  Fields fields(block, path, message.violations);
  if (!fields.is_object()) return;
  const std::string id = fields.Text("block_id", 255, false);
  if (!id.empty() && !message.block_ids.insert(id).second) {
    fields.Note("block_id", "\"" + id + "\" stands twice in the message");
  }
  const std::string type =
      fields.Word("type", {"header", "section", "context", "divider", "actions", "image"}, true);
  if (type == "header") {
    fields.Allow({"type", "block_id", "text"});
    if (const json* text = fields.Find("text")) {
      CheckText(*text, path + ".text", 150, true, message);
    } else {
      fields.Note("text", "is missing");
    }
  } else if (type == "section") {
    CheckSection(fields, path, message);
  } else if (type == "context") {
    CheckContext(fields, path, message);
  } else if (type == "divider") {
    fields.Allow({"type", "block_id"});
  } else if (type == "image") {
    fields.Allow({"type", "block_id", "image_url", "alt_text", "title"});
    CheckImage(fields, message, path, /*block=*/true);
  } else if (type == "actions") {
    fields.Allow({"type", "block_id", "elements"});
    const json* elements = fields.List("elements", 25, true);
    for (std::size_t i = 0; elements != nullptr && i < elements->size(); ++i) {
      CheckElement((*elements)[i], path + ".elements[" + std::to_string(i) + "]", message);
    }
  }
}

std::string Unescaped(std::string text) {
  constexpr std::pair<std::string_view, char> kEscapes[] = {
      {"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}};
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 1;
    char shown = text[at];
    for (const auto& [escape, character] : kEscapes) {
      if (text.compare(at, escape.size(), escape) != 0) continue;
      length = escape.size();
      shown = character;
    }
    plain += shown;
    at += length;
  }
  return plain;
}

}  // namespace

Violations CheckSlackMessage(const json& body) {
  Violations violations;
  Message message{violations, 0, {}};
  Fields fields(body, "", violations);
  if (!fields.is_object()) return violations;
  // A webhook's channel, name and icon are its app's: Slack ignores these fields, so sending them
  // is a mistake.
  fields.Allow(
      {"text", "blocks", "mrkdwn", "unfurl_links", "unfurl_media", "thread_ts", "metadata"});
  const std::string text = fields.Text("text", 40'000, false);
  CheckEscapes(text, "text", violations);
  for (const char* flag : {"mrkdwn", "unfurl_links", "unfurl_media"}) fields.Flag(flag);
  fields.Text("thread_ts", 32, false);
  const json* blocks = fields.List("blocks", 50, false);
  for (std::size_t i = 0; blocks != nullptr && i < blocks->size(); ++i) {
    CheckBlock((*blocks)[i], "blocks[" + std::to_string(i) + "]", message);
  }
  // With blocks, `text` is what a notification and a screen reader say.
  if (text.empty()) fields.Note("text", "is missing: it is what a notification shows");
  if (message.characters > kCharactersMax) {
    violations.push_back("blocks: " + std::to_string(message.characters) + " characters, at most " +
                         std::to_string(kCharactersMax) + " are allowed");
  }
  return violations;
}

std::string SlackTitle(const json& message) {
  if (!message.is_object()) return "";
  try {
    for (const json& block : message.value("blocks", json::array())) {
      if (block.at("type") == "header") return Unescaped(block.at("text").at("text"));
    }
    return Unescaped(message.value("text", ""));
  } catch (const json::exception&) {
    return "";  // its violations say what is wrong with it
  }
}

}  // namespace liveops::sink
