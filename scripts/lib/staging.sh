# Sourced by scripts/package: puts files into the tree of a package, and makes a package of a tree. `$root` is the tree that
# is being filled, `$work` a directory for the rest.

# stage_file FROM TO puts one file, never executable.
stage_file() { install -D -m 0644 "$1" "$root/$2"; }

# stage_program PACKAGE FROM TO puts a program without its symbols, and those where gdb finds them by the build's number.
stage_program() {
    local package=$1 from=$2 to=$root/$3 number symbols
    number=$(readelf -n "$from" | sed -n 's/.*Build ID: //p')
    [ -n "$number" ] || { echo "$from has no build id" >&2; return 1; }
    symbols=$work/$package-dbgsym/usr/lib/debug/.build-id/${number:0:2}/${number:2}.debug
    mkdir -p "$(dirname "$symbols")"
    objcopy --only-keep-debug --compress-debug-sections "$from" "$symbols"
    chmod 0644 "$symbols"
    install -D -m 0755 "$from" "$to"
    strip --strip-unneeded --remove-section=.comment --remove-section=.note "$to"
    objcopy --add-gnu-debuglink="$symbols" "$to"
    echo "$number" >>"$work/$package.build-ids"
}

# stage_man PAGE ARGUMENT... puts the manual page that packaging/manpage writes.
stage_man() {
    local page=$1
    shift
    packaging/manpage "$@" >"$work/$page"
    gzip -9n "$work/$page"
    stage_file "$work/$page.gz" "usr/share/man/man${page##*.}/$page.gz"
}

# Which libraries the programs of a tree need, as a control file has it.
shared_libraries() {
    local tree=$1 programs
    # A program without an interpreter has all it needs.
    mapfile -t programs < <(find "$tree/usr/bin" "$tree/usr/libexec" -type f | sort | while read -r program; do
        ! readelf -l "$program" | grep -q INTERP || echo "$program"
    done)
    # It looks for a source package's control file where it runs.
    mkdir -p "$work/shlibs/debian"
    : >"$work/shlibs/debian/control"
    (cd "$work/shlibs" && dpkg-shlibdeps -O "${programs[@]}" | sed 's/^shlibs:Depends=//')
}

# fill FROM NAME=VALUE... writes a template with its @NAME@s filled in; one that stays is a mistake.
fill() {
    local text name
    text=$(cat "$1")
    shift
    for name in "$@"; do text=${text//"@${name%%=*}@"/${name#*=}}; done
    if [[ $text =~ @[A-Z_]+@ ]]; then
        echo "nothing stands for ${BASH_REMATCH[0]}" >&2
        return 1
    fi
    printf '%s\n' "$text"
}

# Kilobytes as dpkg-gencontrol counts them: the same on every file system.
installed_size() {
    find "$1" -path "$1/DEBIAN" -prune -o -printf '%y %s\n' \
        | awk '{ size += $1 == "f" ? int(($2 + 1023) / 1024) : 1 } END { print size }'
}

# The names of staged units with these suffixes, of which a line is as the pattern says.
units() {
    local pattern=$1
    shift
    (cd "$root/lib/systemd/system" && for suffix; do grep -lx "$pattern" -- *".$suffix" || true; done) | paste -sd ' '
}

# pack PACKAGE makes the package of the tree $work/PACKAGE with the files of packaging/PACKAGE.
pack() {
    local package=$1 libraries script
    root=$work/$package
    install -D -m 0644 packaging/copyright "$root/usr/share/doc/$package/copyright"
    gzip -9nc packaging/changelog >"$work/changelog.gz"
    stage_file "$work/changelog.gz" "usr/share/doc/$package/changelog.gz"
    if [ -e "packaging/$package/lintian-overrides" ]; then
        stage_file "packaging/$package/lintian-overrides" "usr/share/lintian/overrides/$package"
    fi
    mkdir "$root/DEBIAN"
    libraries=$(shared_libraries "$root")
    if [ -d "$root/etc" ]; then
        (cd "$root" && find etc -type f -printf '/%p\n' | sort) >"$root/DEBIAN/conffiles"
    fi
    for script in postinst prerm postrm; do
        [ -e "packaging/$package/$script" ] || continue
        fill "packaging/$package/$script" SOCKETS="$(units '.*' socket)" TIMERS="$(units '.*' timer)" \
            UNITS="$(units '\[Install\]' socket service timer)" >"$root/DEBIAN/$script"
        chmod 0755 "$root/DEBIAN/$script"
    done
    finish "$package" packaging/"$package"/control SHLIBS="$libraries"
}

# pack_symbols PACKAGE makes PACKAGE-dbgsym.
pack_symbols() {
    root=$work/$1-dbgsym
    mkdir -p "$root/DEBIAN" "$root/usr/share/doc"
    ln -s "$1" "$root/usr/share/doc/$1-dbgsym"
    finish "$1-dbgsym" packaging/dbgsym/control PACKAGE="$1" BUILD_IDS="$(sort -u "$work/$1.build-ids" | tr '\n' ' ' | sed 's/ $//')"
}

# finish PACKAGE CONTROL NAME=VALUE... writes checksums and control file, and packs.
finish() {
    local package=$1 control=$2 level
    shift 2
    (cd "$root" && find . -type f -not -path './DEBIAN/*' -printf '%P\n' | sort | xargs -d '\n' md5sum) >"$root/DEBIAN/md5sums"
    fill "$control" VERSION="$version" ARCHITECTURE="$architecture" SIZE="$(installed_size "$root")" "$@" \
        >"$root/DEBIAN/control"
    chmod 0644 "$root"/DEBIAN/{control,md5sums}
    # Symbols are compressed already.
    [[ $package == *-dbgsym ]] && level=0 || level=6
    dpkg-deb --root-owner-group -Zxz -z"$level" --build "$root" "$output/${package}_${version}_$architecture.deb" >/dev/null
}
