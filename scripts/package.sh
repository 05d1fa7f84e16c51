#!/usr/bin/env bash
# Makes a release: for each machine a tarball and a Debian package, and SHA256SUMS over all of them. The same commit gives
# the same bytes on any machine with the same Rust and C compilers (SOURCE_DATE_EPOCH: the commit's own time).
#
#   scripts/package.sh                     aarch64, armv7 and x86_64, into target/package
#   scripts/package.sh aarch64             only these
#   scripts/package.sh --out DIR           into another folder
#   scripts/package.sh --binary aarch64=FILE   packs this program instead of building one; may be given several times
#   scripts/package.sh --sign KEY          signs SHA256SUMS with this SSH key, as update.sh wants it
#
# Installs what is missing (Rust's targets, Debian's cross compilers) and says so.

source "$(dirname "$0")/lib.sh"

OUT=$TARGET/package
DEB=$ROOT/packaging/deb
SIGNED_FOR=minectl-release

machines=() key=
declare -A binaries=()
while [ $# -gt 0 ]; do
    case $1 in
    --out) OUT=${2:?--out wants a folder} && shift ;;
    --sign) key=${2:?--sign wants a key file} && shift ;;
    --binary)
        [[ ${2:-} = *=?* ]] || fail "--binary wants MACHINE=FILE"
        binaries[${2%%=*}]=${2#*=}
        shift
        ;;
    aarch64 | armv7 | x86_64) machines+=("$1") ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && fail "unknown argument \`$1\`; machines are aarch64, armv7, x86_64" ;;
    esac
    shift
done
if [ ${#machines[@]} = 0 ]; then machines=(aarch64 armv7 x86_64); fi

# One line for each machine: Rust's name of it, Debian's name, and the prefix of its C compiler.
about() {
    case $1 in
    aarch64) say "aarch64-unknown-linux-gnu arm64 aarch64-linux-gnu" ;;
    armv7) say "armv7-unknown-linux-gnueabihf armhf arm-linux-gnueabihf" ;;
    x86_64) say "x86_64-unknown-linux-gnu amd64 x86_64-linux-gnu" ;;
    esac
}

need_compilers() {
    local triple tools
    read -r triple _ tools < <(about "$1")
    case $1 in
    "$(uname -m)") return 0 ;;
    aarch64) need_packages "$tools-gcc=gcc-$tools" /usr/aarch64-linux-gnu/include/stdlib.h=libc6-dev-arm64-cross ;;
    armv7) need_packages "$tools-gcc=gcc-$tools" /usr/arm-linux-gnueabihf/include/stdlib.h=libc6-dev-armhf-cross ;;
    x86_64) need_packages "$tools-gcc=gcc-x86-64-linux-gnu" /usr/x86_64-linux-gnu/include/stdlib.h=libc6-dev-amd64-cross ;;
    esac
    if ! [ -d "$(rustc --print sysroot)/lib/rustlib/$triple" ]; then
        say "Installing with rustup: the target $triple"
        rustup target add "$triple" >"$OUT/rustup.log" 2>&1 || fail "rustup cannot install $triple; see $OUT/rustup.log"
    fi
}

# Builds for one machine and prints the program's path. No path of this machine may get into it.
build() {
    local machine=$1 triple tools name home=${CARGO_HOME:-$HOME/.cargo} program
    read -r triple _ tools < <(about "$machine")
    name=${triple//-/_}
    export "CARGO_TARGET_${name^^}_LINKER=$tools-gcc" "CC_$name=$tools-gcc"
    export "CFLAGS_$name=-ffile-prefix-map=$home=/cargo -ffile-prefix-map=$OUT=/build"
    CARGO_TARGET_DIR=$OUT/build CARGO_INCREMENTAL=0 \
        CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=$ROOT=/minectl"$'\x1f'"--remap-path-prefix=$home=/cargo" \
        cargo build --manifest-path "$ROOT/Cargo.toml" --release --locked --quiet --bin minectl --target "$triple" >&2 ||
        fail "cargo could not build for $triple"
    program=$OUT/build/$triple/release/minectl
    if grep -qaF -e "$ROOT" -e "$home" "$program"; then fail "$program names folders of this machine"; fi
    say "$program"
}

# The oldest glibc with all that a program asks for.
glibc_of() { readelf -V "$1" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1 | cut -d_ -f2; }

copy() { install -D -m "$1" "$2" "$3"; }

# What goes into the tarball: install.sh finds everything beside itself.
fill_tarball() {
    local folder=$1 program=$2 file
    copy 755 "$program" "$folder/minectl"
    for file in install.sh update.sh ssh-mine.sh; do copy 755 "$ROOT/scripts/$file" "$folder/$file"; done
    for file in "$ROOT"/cron/*; do copy 644 "$file" "$folder/cron/$(basename "$file")"; done
    copy 644 "$ROOT/packaging/release-signers" "$folder/release-signers"
    copy 644 "$ROOT/packaging/grafana-dashboard.json" "$folder/grafana-dashboard.json"
    for file in README.md SECURITY.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE config.txt; do copy 644 "$ROOT/$file" "$folder/$file"; done
}

# What goes into the Debian package; all but the program itself is the same for each machine.
fill_deb() {
    local folder=$1 program=$2 debian=$3 doc=$1/usr/share/doc/minectl file
    copy 755 "$program" "$folder/usr/bin/minectl"
    copy 755 "$ROOT/scripts/install.sh" "$folder/usr/lib/minectl/install.sh"
    for file in "$ROOT"/cron/*; do
        if [[ $file != *.cgi ]]; then copy 644 "$file" "$folder/usr/lib/minectl/cron/$(basename "$file")"; fi
    done
    copy 644 "$ROOT/cron/tmpfiles-minectl.conf" "$folder/usr/lib/tmpfiles.d/minectl.conf"
    copy 644 "$ROOT/cron/logrotate-minectl" "$folder/etc/logrotate.d/minectl"
    copy 644 "$ROOT/cron/nginx-minectl.conf" "$folder/etc/nginx/sites-available/minectl"
    if [ -e "$ROOT/cron/nginx-minectl-admin.conf" ]; then
        copy 644 "$ROOT/cron/nginx-minectl-admin.conf" "$folder/etc/nginx/snippets/minectl-admin.conf"
        copy 644 "$ROOT/cron/nginx-minectl-admin-limit.conf" "$folder/etc/nginx/conf.d/minectl-admin.conf"
        copy 755 "$ROOT/cron/minectl.cgi" "$folder/usr/lib/minectl/minectl.cgi"
        for file in minectl-fcgi.service minectl-fcgi.socket; do copy 644 "$ROOT/cron/$file" "$folder/lib/systemd/system/$file"; done
    fi
    # A package's own files lie outside /usr/local.
    { grep -rlIF /usr/local/ "$folder" --exclude='*.sh' --exclude-dir=share || true; } |
        xargs -r sed -i 's#/usr/local/\(bin\|lib\)/#/usr/\1/#g'
    copy 644 "$OUT/printed/man" "$folder/usr/share/man/man1/minectl.1"
    copy 644 "$OUT/printed/bash" "$folder/usr/share/bash-completion/completions/minectl"
    copy 644 "$OUT/printed/zsh" "$folder/usr/share/zsh/vendor-completions/_minectl"
    copy 644 "$OUT/printed/fish" "$folder/usr/share/fish/vendor_completions.d/minectl.fish"
    copy 644 "$DEB/copyright" "$doc/copyright"
    copy 644 "$ROOT/packaging/grafana-dashboard.json" "$doc/examples/grafana-dashboard.json"
    copy 644 "$ROOT/config.txt" "$doc/examples/config.txt"
    copy 755 "$ROOT/scripts/ssh-mine.sh" "$doc/examples/ssh-mine.sh"
    for file in README.md SECURITY.md CHANGELOG.md; do copy 644 "$ROOT/$file" "$doc/$file"; done
    {
        printf 'minectl (%s) stable; urgency=medium\n\n  * What changed stands in CHANGELOG.md.gz.\n\n' "$VERSION"
        printf ' -- %s  %s\n' "$(sed -n 's/^Maintainer: //p' "$DEB/control")" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")"
    } >"$doc/changelog"
    gzip -9n "$doc/changelog" "$doc/README.md" "$doc/SECURITY.md" "$doc/CHANGELOG.md" "$folder/usr/share/man/man1/minectl.1"
    mkdir "$folder/DEBIAN"
    (cd "$folder" && find etc -type f | sed 's#^#/#' | sort) >"$folder/DEBIAN/conffiles"
    (cd "$folder" && find . -type f ! -path './DEBIAN/*' -printf '%P\n' | sort | xargs md5sum) >"$folder/DEBIAN/md5sums"
    for file in preinst postinst prerm postrm; do copy 755 "$DEB/$file" "$folder/DEBIAN/$file"; done
    sed -e "s/@VERSION@/$VERSION/" -e "s/@ARCHITECTURE@/$debian/" -e "s/@GLIBC@/$(glibc_of "$program")/" \
        -e "s/@SIZE@/$(du -k -s --apparent-size "$folder" | cut -f1)/" "$DEB/control" >"$folder/DEBIAN/control"
}

pack() {
    local machine=$1 program=$2 debian work folder
    read -r _ debian _ < <(about "$machine")
    work=$(mktemp -d)
    folder=minectl-$VERSION-$machine
    umask 022
    fill_tarball "$work/$folder" "$program"
    tar -C "$work" --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
        --mode=go-w -cf - "$folder" | gzip -6n >"$OUT/minectl-$machine.tar.gz"
    mkdir -m 755 "$work/deb"
    fill_deb "$work/deb" "$program" "$debian"
    find "$work/deb" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group -Zgzip -z6 --build "$work/deb" "$OUT/minectl_${VERSION}_$debian.deb" >/dev/null
    rm -rf "$work"
    made+=("minectl-$machine.tar.gz" "minectl_${VERSION}_$debian.deb")
}

# The manual page and the completions are the same for each machine; any program that runs here prints them.
print_manual() {
    local program=$1 runner=() shell
    case $machine in
    "$(uname -m)") ;;
    aarch64) runner=(qemu-aarch64-static -L /usr/aarch64-linux-gnu) ;;
    armv7) runner=(qemu-arm-static -L /usr/arm-linux-gnueabihf) ;;
    x86_64) runner=(qemu-x86_64-static -L /usr/x86_64-linux-gnu) ;;
    esac
    if [ ${#runner[@]} -gt 0 ]; then need_packages "${runner[0]}=qemu-user-static"; fi
    mkdir -p "$OUT/printed"
    "${runner[@]}" "$program" man >"$OUT/printed/man"
    for shell in bash zsh fish; do "${runner[@]}" "$program" completions "$shell" >"$OUT/printed/$shell"; done
    said=$("${runner[@]}" "$program" --version)
    [ "$said" = "minectl $VERSION" ] || fail "the program for $machine says \`$said\`, Cargo.toml says $VERSION"
}

cd "$ROOT"
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
if [ ${#binaries[@]} = 0 ]; then need_build_tools; fi
need_packages dpkg-deb=dpkg readelf=binutils
made=()
for machine in "${machines[@]}"; do
    program=${binaries[$machine]:-}
    if [ -z "$program" ]; then
        need_compilers "$machine"
        say "Building minectl $VERSION for $machine ..."
        program=$(build "$machine")
    fi
    print_manual "$program"
    pack "$machine" "$program"
done
rm -rf "$OUT/printed"
(cd "$OUT" && sha256sum "${made[@]}" >SHA256SUMS)
if [ -n "$key" ]; then
    rm -f "$OUT/SHA256SUMS.sig"
    ssh-keygen -q -Y sign -n "$SIGNED_FOR" -f "$key" "$OUT/SHA256SUMS" || fail "ssh-keygen could not sign with $key"
fi
say "In $OUT:"
(cd "$OUT" && stat -c '%s %n' "${made[@]}" SHA256SUMS*) | awk '{ printf "  %-28s %9d bytes\n", $2, $1 }'
