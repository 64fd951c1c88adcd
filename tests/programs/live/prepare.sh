# Makes keys, configurations and files of the live evaluation in $FOLDER. The addresses come as variables.
set -eu
cd "$FOLDER"
mkdir -p share/ward ssh www archive orthanc samba received /run/sshd
chmod -R 777 share received
ssh-keygen -q -t ed25519 -N '' -f ssh/host
ssh-keygen -q -t ed25519 -N '' -f ssh/key
cp ssh/key.pub ssh/keys
chmod 600 ssh/*
cat > ssh/server <<END
HostKey $FOLDER/ssh/host
AuthorizedKeysFile $FOLDER/ssh/keys
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication yes
PidFile none
AllowTcpForwarding yes
GatewayPorts yes
Subsystem sftp internal-sftp
END
cat > ssh/client <<END
Host *
  User root
  IdentityFile $FOLDER/ssh/key
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
  ConnectTimeout 5
END
cat > samba/smb.conf <<END
[global]
  workgroup = HOSPITAL
  netbios name = FILES
  server role = standalone server
  map to guest = never
  load printers = no
  disable spoolss = yes
  log level = 0
  log file = $FOLDER/samba/log
  private dir = $FOLDER/samba/private
  lock directory = $FOLDER/samba/lock
  state directory = $FOLDER/samba/state
  cache directory = $FOLDER/samba/cache
  pid directory = $FOLDER/samba/pid
  ncalrpc dir = $FOLDER/samba/rpc
[share]
  path = $FOLDER/share
  read only = no
  force user = root
END
mkdir -p samba/private samba/lock samba/state samba/cache samba/pid samba/rpc
if command -v smbpasswd > samba/found; then
    printf 'ward-7\nward-7\n' | smbpasswd -c samba/smb.conf -s -a root > samba/made
fi
cat > archive.cfg <<END
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
ws1 = (WS1, $WS1, 11113)
ws2 = (WS2, $WS2, 11113)
teaching = (TEACHING, $LAPTOP, 11113)
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
PACS $FOLDER/archive RW (200, 1024mb) ANY
AETable END
END
cat > orthanc.json <<END
{ "DicomPort": 4242, "DicomAet": "ORTHANC", "HttpPort": 8042, "RemoteAccessAllowed": true,
  "AuthenticationEnabled": false, "DicomCheckCalledAet": false, "DicomAlwaysAllowEcho": true,
  "DicomAlwaysAllowStore": true, "DicomAlwaysAllowFind": true, "DicomAlwaysAllowGet": true, "Plugins": [],
  "StorageDirectory": "$FOLDER/orthanc", "IndexDirectory": "$FOLDER/orthanc" }
END
cat > dns2tcpd.conf <<END
listen = $NS2
port = 53
user = root
chroot = $FOLDER
domain = d.evil.test
resources = sink:$EVIL:8443
END
cat > snmpd.conf <<END
agentaddress udp:161
rocommunity ward-7
sysName printer
END
for number in 1 2 3 4 5 6 7 8 9 10; do
    head -c 300000 /dev/urandom > share/ward/letter-$number.doc
done
for number in $(seq 1 60); do
    head -c 60000 /dev/urandom > share/plan-$number.doc
done
head -c 20000000 /dev/urandom > www/firmware.bin
head -c 50000000 /dev/urandom > fifty.bin
seq 1 400 | sed 's/^/Rota of the week, line /' > www/index.html
seq 1 60 | sed 's/^/Summer20/' > words
seq 1 60 | sed 's/^/community/' > communities
{ printf 'pacs\nfiles\nweb\nmail\nadmin\nbackup\nlogin\n'; seq 1 200 | sed 's/^/name/'; } > names
