#!/bin/sh
# Installs lambda-nat-proxy @VERSION@ for one user, without root:
#
#   curl -fsSL @REPOSITORY@/releases/latest/download/install.sh | sh
#
# Options follow "sh -s --", for example: … | sh -s -- --prefix ~/tools
# The archive's checksum stands below: what is unpacked is what was released with this script.
set -eu

program=lambda-nat-proxy
released=@VERSION@
repository=@REPOSITORY@

usage() {
  cat <<'END'
Usage: install.sh [--version VERSION] [--prefix FOLDER]
       install.sh --uninstall [--prefix FOLDER]

  --version VERSION  install that version (default: @VERSION@)
  --prefix FOLDER    install below that folder (default: ~/.local)
  --uninstall        remove what was installed there, and the cache
  --help             show this

LAMBDA_NAT_PROXY_RELEASES is the URL of a mirror in place of
@REPOSITORY@/releases/download
END
}

# SHA-256 of this version's archive for a platform; nothing where it has none.
checksum_of() {
  case $1 in
  linux_x64) echo @SHA256_linux_x64@ ;;
  linux_arm64) echo @SHA256_linux_arm64@ ;;
  darwin_x64) echo @SHA256_darwin_x64@ ;;
  darwin_arm64) echo @SHA256_darwin_arm64@ ;;
  esac
}

# What is installed: the file in the archive, the file below the prefix, its mode.
files() {
  cat <<'END'
lambda-nat-proxy bin/lambda-nat-proxy 755
man/lambda-nat-proxy.1 share/man/man1/lambda-nat-proxy.1 644
completions/lambda-nat-proxy.bash share/bash-completion/completions/lambda-nat-proxy 644
completions/_lambda-nat-proxy share/zsh/site-functions/_lambda-nat-proxy 644
completions/lambda-nat-proxy.fish share/fish/vendor_completions.d/lambda-nat-proxy.fish 644
LICENSE share/doc/lambda-nat-proxy/LICENSE 644
THIRD_PARTY_LICENSES.txt share/doc/lambda-nat-proxy/THIRD_PARTY_LICENSES.txt 644
END
}

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

platform() {
  system=$(uname -s)
  machine=$(uname -m)
  case $system in
  Linux)
    os=linux
    getconf GNU_LIBC_VERSION >/dev/null 2>&1 ||
      fail "this Linux has another C library than glibc, and there is no executable for it"
    ;;
  Darwin)
    os=darwin
    # A shell under Rosetta is told that the machine is another.
    [ "$(sysctl -n sysctl.proc_translated 2>/dev/null)" != 1 ] || machine=arm64
    ;;
  MINGW* | MSYS* | CYGWIN*) fail "on Windows, use Scoop or the zip of the release: $repository/releases" ;;
  *) fail "there is no executable for $system" ;;
  esac
  case $machine in
  x86_64 | amd64) echo "${os}_x64" ;;
  aarch64 | arm64) echo "${os}_arm64" ;;
  *) fail "there is no executable for $system on $machine" ;;
  esac
}

# download URL FILE
download() {
  case $1 in
  https://*) protocol='=https' ;;
  http://127.0.0.1:* | http://localhost:*) protocol='=http' ;;
  *) fail "$1 is no https URL" ;;
  esac
  if has curl; then
    if [ -t 2 ]; then progress=--progress-bar; else progress=--silent; fi
    curl --fail --location --show-error "$progress" --proto "$protocol" --retry 2 --connect-timeout 20 --output "$2" "$1"
  elif has wget; then
    wget -q -T 20 -O "$2" "$1"
  else
    fail "neither curl nor wget is there to download with"
  fi || fail "$1 could not be downloaded"
}

sha256() {
  if has sha256sum; then
    sha256sum <"$1"
  elif has shasum; then
    shasum -a 256 <"$1"
  elif has openssl; then
    openssl dgst -sha256 -r <"$1"
  else
    fail "neither sha256sum, shasum nor openssl is there to check the download with"
  fi | cut -d ' ' -f 1
}

install_program() {
  target=$(platform)
  archive=${program}_${version}_$target.tar.gz
  base=${LAMBDA_NAT_PROXY_RELEASES:-$repository/releases/download}/v$version

  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP

  if [ "$version" = "$released" ]; then
    expected=$(checksum_of "$target")
  else
    download "$base/SHA256SUMS" "$work/SHA256SUMS"
    expected=$(sed -n "s/^\([0-9a-f]\{64\}\)  $archive\$/\1/p" "$work/SHA256SUMS")
  fi
  [ -n "$expected" ] || fail "version $version has no executable for $target"

  say "Downloading $archive …"
  download "$base/$archive" "$work/$archive"
  actual=$(sha256 "$work/$archive")
  [ "$actual" = "$expected" ] ||
    fail "the checksum of $archive is $actual and not $expected: nothing was installed"
  tar -xzf "$work/$archive" -C "$work" || fail "$archive could not be unpacked: is the disk full?"

  files | while read -r from to mode; do
    mkdir -p "$prefix/${to%/*}" || fail "$prefix/${to%/*} cannot be made"
    # In one step: a program that runs keeps its file.
    cp "$work/${archive%.tar.gz}/$from" "$prefix/$to.new" || fail "$prefix/$to cannot be written"
    chmod "$mode" "$prefix/$to.new" || fail "$prefix/$to cannot be written"
    mv -f "$prefix/$to.new" "$prefix/$to" || fail "$prefix/$to cannot be replaced"
  done || exit 1

  "$prefix/bin/$program" --version >/dev/null || fail "$prefix/bin/$program does not run on this machine"
  say "Installed $program $version: $prefix/bin/$program"
  case :$PATH: in
  *":$prefix/bin:"*) ;;
  *) say "To find it by its name, add this to your shell's profile: export PATH=\"$prefix/bin:\$PATH\"" ;;
  esac
  say "Try it: $program run --local"
}

uninstall_program() {
  [ -e "$prefix/bin/$program" ] || fail "there is no $prefix/bin/$program; name its folder with --prefix"
  files | while read -r _ to _; do
    rm -f "$prefix/$to"
    # Folders that are empty now, up to the prefix.
    folder=${to%/*}
    while rmdir "$prefix/$folder" 2>/dev/null; do
      case $folder in
      */*) folder=${folder%/*} ;;
      *) break ;;
      esac
    done
  done
  rmdir "$prefix" 2>/dev/null || true
  case $(uname -s) in
  Darwin) caches=$HOME/Library/Caches ;;
  *) caches=$HOME/.cache ;;
  esac
  # The program takes no relative one either.
  case ${XDG_CACHE_HOME:-} in
  /*) caches=$XDG_CACHE_HOME ;;
  esac
  rm -rf "${caches:?}/$program"
  say "Removed $program and its cache."
  for folder in "${XDG_CONFIG_HOME:-$HOME/.config}/$program" "${XDG_STATE_HOME:-$HOME/.local/state}/$program"; do
    [ ! -e "$folder" ] || say "Yours to delete: $folder"
  done
}

main() {
  [ -n "${HOME:-}" ] || fail "HOME is not set"
  version=$released
  prefix=$HOME/.local
  action=install
  while [ $# -gt 0 ]; do
    case $1 in
    --version | --prefix)
      if [ $# -lt 2 ] || [ -z "$2" ]; then fail "$1 needs a value"; fi
      if [ "$1" = --version ]; then version=${2#v}; else prefix=$2; fi
      shift
      ;;
    --uninstall) action=uninstall ;;
    --help | -h) action=usage ;;
    *) fail "there is no option $1; see --help" ;;
    esac
    shift
  done
  case $version in
  *[!0-9A-Za-z.+-]*) fail "\"$version\" is no version" ;;
  esac
  case $prefix in
  /*) ;;
  *) prefix=$PWD/$prefix ;;
  esac
  case $action in
  install) install_program ;;
  uninstall) uninstall_program ;;
  usage) usage ;;
  esac
}

# Not before its last byte is here does anything happen.
{ main "$@"; }
