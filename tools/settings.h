// Settings: what an option is worth when the command line does not say: its environment variable,
// else the first of the settings files that has a value for it.
//
// Files, nearest first: ./sluice.toml; sluice/config.toml in $XDG_CONFIG_HOME (~/.config); the same
// in each of $XDG_CONFIG_DIRS (/etc/xdg), as freedesktop.org's base directory specification 0.8 has
// it. --config FILE stands for all of them.
//
// ./sluice.toml comes with a folder that somebody else may have written. It cannot say where the
// key and the documents are sent, or which file the key is read from.
#pragma once

#include <string>
#include <vector>

#include "io/base/error.h"
#include "io/file/file_system.h"
#include "tools/arguments.h"
#include "tools/config_file.h"

namespace sluice {

// Where settings are looked for, nearest first, whether a file is there or not.
[[nodiscard]] std::vector<std::string> SettingsPaths(const Arguments& arguments);

// The files that are there. Errors: kUsage (one that cannot be used, or lacks the --profile that
// none of the others has either; a --config that is not there), kIo.
[[nodiscard]] Result<std::vector<ConfigFile>> ReadSettingsFiles(const Arguments& arguments,
                                                                FileSystem& files);

// Fills in what neither flags nor the environment said. Errors: as above. Commands that explain or
// describe sluice itself are left as they are.
[[nodiscard]] Result<void> ReadSettings(Arguments& arguments, FileSystem& files);

// Fills `arguments` in from `config`, nearest first.
void FillIn(Arguments& arguments, const std::vector<ConfigFile>& config);

}  // namespace sluice
