# Runs one server at a time, and ends with it when the process that started it is gone.
# usage: sh -c "$(cat warden.sh)" warden END_SIGNAL DIRECTORY PROGRAM ARGUMENT...
# stdin: "start" (answers with the pid) and "reap" (answers with the exit status once it has ended).
end=$1
dir=$2
shift 2
pid=
# The kernel hangs up on a process group that loses its parent while a member is stopped: a paused server.
trap '' HUP
while read -r word; do
  case $word in
  start)
    "$@" >>"$dir/server.log" 2>&1 </dev/null &
    pid=$!
    echo "$pid"
    ;;
  reap)
    wait "$pid"
    echo "$?"
    pid=
    ;;
  esac
done
# End of input: its owner dropped the server, or the process that owns the server died.
if [ -n "$pid" ]; then
  # A server that is paused cannot end, nor can it while its children are.
  kill -s CONT $(cat "/proc/$pid/task/$pid/children") "$pid"
  kill -s "$end" "$pid"
  wait "$pid"
fi
# A PostgreSQL that was killed and not started again leaves a System V segment; its pid file names it.
segment=$(sed -n '7s/^ *[0-9][0-9]* *\([0-9][0-9]*\).*/\1/p' "$dir/data/postmaster.pid" 2>/dev/null)
[ -n "$segment" ] && ipcrm -m "$segment"
rm -rf "$dir"
