#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "deploy/local/sink/contract.h"

namespace liveops::sink {

// Reads one JSON object of a request and notes what breaks the contract. Lengths are in characters
// (code points), as the providers count them.
class Fields {
 public:
  Fields(const nlohmann::json& object, std::string path, Violations& violations);

  bool is_object() const { return object_.is_object(); }
  // Every member must be one of these.
  void Allow(std::initializer_list<std::string_view> names);
  // A string of min..max characters; "" when it is missing or no string. A missing one is noted
  // only if `required`.
  std::string Text(const char* name, std::size_t max, bool required, std::size_t min = 1);
  // Likewise, but one of `words`.
  std::string Word(const char* name, std::initializer_list<std::string_view> words, bool required);
  void Flag(const char* name);
  // An http or https URL of at most `max` characters.
  void Url(const char* name, std::size_t max, bool required);
  // An array of at most `max` entries, nullptr when missing or no array.
  const nlohmann::json* List(const char* name, std::size_t max, bool required);
  // The member, nullptr when missing.
  const nlohmann::json* Find(const char* name) const;
  void Note(const std::string& name, const std::string& what);
  std::string PathOf(const std::string& name) const;

 private:
  const nlohmann::json& object_;
  std::string path_;
  Violations& violations_;
};

// Characters, not bytes.
std::size_t CharactersOf(std::string_view utf8);

}  // namespace liveops::sink
