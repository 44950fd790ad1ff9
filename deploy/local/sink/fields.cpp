#include "deploy/local/sink/fields.h"

#include <algorithm>

namespace liveops::sink {

using nlohmann::json;

std::size_t CharactersOf(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

Fields::Fields(const json& object, std::string path, Violations& violations)
    : object_(object), path_(std::move(path)), violations_(violations) {
  if (!object_.is_object()) violations_.push_back(path_ + ": must be an object");
}

std::string Fields::PathOf(const std::string& name) const {
  return path_.empty() ? name : path_ + "." + name;
}

void Fields::Note(const std::string& name, const std::string& what) {
  violations_.push_back(PathOf(name) + ": " + what);
}

const json* Fields::Find(const char* name) const {
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(name);
  return found == object_.end() ? nullptr : &*found;
}

void Fields::Allow(std::initializer_list<std::string_view> names) {
  if (!object_.is_object()) return;
  for (const auto& [name, value] : object_.items()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) Note(name, "unknown field");
  }
}

std::string Fields::Text(const char* name, std::size_t max, bool required, std::size_t min) {
  const json* value = Find(name);
  if (value == nullptr) {
    if (required) Note(name, "is missing");
    return "";
  }
  if (!value->is_string()) {
    Note(name, "must be a string");
    return "";
  }
  const std::string text = value->get<std::string>();
  const std::size_t characters = CharactersOf(text);
  if (characters < min) Note(name, "must not be empty");
  if (characters > max) {
    Note(name, "has " + std::to_string(characters) + " characters, at most " + std::to_string(max) +
                   " are allowed");
  }
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') {
      Note(name, "holds a control character");
      break;
    }
  }
  return text;
}

std::string Fields::Word(const char* name, std::initializer_list<std::string_view> words,
                         bool required) {
  const std::string text = Text(name, 1000, required);
  if (text.empty() || std::find(words.begin(), words.end(), text) != words.end()) return text;
  std::string known;
  for (const std::string_view word : words) {
    if (!known.empty()) known += ", ";
    known += word;
  }
  Note(name, "\"" + text + "\" is none of " + known);
  return text;
}

void Fields::Flag(const char* name) {
  const json* value = Find(name);
  if (value != nullptr && !value->is_boolean()) Note(name, "must be true or false");
}

void Fields::Url(const char* name, std::size_t max, bool required) {
  const std::string url = Text(name, max, required);
  if (!url.empty() && !url.starts_with("http://") && !url.starts_with("https://")) {
    Note(name, "must be an http or https URL");
  }
}

const json* Fields::List(const char* name, std::size_t max, bool required) {
  const json* value = Find(name);
  if (value == nullptr) {
    if (required) Note(name, "is missing");
    return nullptr;
  }
  if (!value->is_array()) {
    Note(name, "must be an array");
    return nullptr;
  }
  if (value->empty()) Note(name, "must not be empty");
  if (value->size() > max) {
    Note(name, "has " + std::to_string(value->size()) + " entries, at most " + std::to_string(max) +
                   " are allowed");
  }
  return value;
}

}  // namespace liveops::sink
