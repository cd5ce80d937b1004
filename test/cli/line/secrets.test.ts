import { describe, expect, test } from 'vitest';
import { showsSecret } from '../../../src/cli/line/secrets.ts';

describe('a line that shows a secret', () => {
  test.each([
    // Wherry's own
    'join wherry1-K7QM2-9TRAX', 'x WHERRY1-K7', 'token wherry_abc', 'join 7-crater-lantern', '!wherry join --as lab 7-crater-lantern@192.0.2.7', 'JOIN "7 crater lantern"', 'join 7_Crater.lantern', 'join 12–crater–lantern', '!echo 7-crater-lantern | wherry join',
    // options
    '!mysql --password=hunter2', '!mysql --password hunter2 db', '!x --db-password=a', '!x -password a', '!tool --token abc', '!tool --api-key abc', '!tool --apikey=abc', '!x --client-secret \'a b\'', '!x --passphrase=1', '!x --secret-access-key a',
    // variables
    '!export AWS_SECRET_ACCESS_KEY=abcd', '!export GITHUB_TOKEN=x', '!PGPASSWORD=x psql', '!MYSQL_PWD=x mysql', '!env DB_PASS="x y" ./run', '!set -x DBPASS=1', '!curl https://h/?access_token=abc', '!curl -d \'{"password": "x"}\' h', '!curl -d "api_key=1" h',
    // headers
    '!curl -H "Authorization: Bearer abcdefgh" h', "!curl -H 'X-Api-Key: abc' h", '!curl -H X-Auth-Token:abc h', '!curl -H "Cookie: session=1" h', '!http h "Authorization:Token 1"', '!curl --oauth2-bearer x -H "PRIVATE-TOKEN: a" h', '!x Bearer abcdefghijkl',
    // in the place where a program takes one
    '!curl -u me:hunter4 https://h', '!curl -sSu "me:x" h', '!curl -ume:x h', '!curl --user me:x h', '!curl --proxy-user=me:x h', '!lftp -u me,x h', '!http -a me:x h', '!mysql -u root -phunter2', '!mysqldump -p\'a b\' db', '!/usr/bin/mysql -px', '!sshpass -p hunter2 ssh h', '!sshpass -phunter2 ssh h',
    '!zip -P x a.zip a', '!7z x -psecret a.7z', '!docker login -u me -p x', '!redis-cli -a x', '!ldapsearch -D cn=a -w x', '!smbclient //h/s -U me%x', '!openssl rsa -passin pass:x', '!ls; curl -u a:b h',
    // addresses
    'open ftp://u:pw@h', '!git clone https://me:x@example.org/r', '!psql postgres://u:p@h/db',
    // by their form alone
    '!echo ghp_0123456789abcdef', '!x glpat-0123456789abcdef', '!x AKIAIOSFODNN7EXAMPLE', '!x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x', '!echo "-----BEGIN PRIVATE KEY-----"',
    // given to a program that reads one
    '!echo hunter2 | docker login --password-stdin', '!printf x | sudo -S ls', '!echo ann:x | chpasswd', '!docker login --password-stdin <<<hunter2',
  ])('%s', (line) => expect(showsSecret(line)).toBe(true));
});

describe('a line that only sounds so', () => {
  test.each([
    'put token.txt', 'get passwords/', 'put passwords/ secrets/', 'get passwd shadow', 'ls -l .secret', 'change token.txt api-key.txt', 'rm credentials', 'cat password', 'get *.token', 'find . "*password*"', 'put a --exclude secret', 'put a --exclude=*.token',
    'put -u photos :', 'get -u photos new', '!wherry put -u photos :backup', '!wherry get -u lab:photos .', '!docker run -u 1000:1000 image', '!wherry put token.txt :', '!wherry put password.txt lab:secrets/', '!scp a lab:token', '!mkdir -p a/b', '!ssh -p 22 h', '!cp -p a b',
    '!wherry account add ann --password-stdin', '!x --password-file pw.txt', '!x --token-file=/run/token', '!export TOKEN_FILE=x', '!x --token=$TOKEN', '!x --token "$TOKEN" y', '!export TOKEN=$(cat token)', '!x --password ${PW}', '!mysql -u root -p', '!mysql -p db', '!x --password', '!x --password --verbose', '!x --token=',
    '!curl -s https://h:8080/a@b', '!curl -u me h', '!curl -L -o a https://h/', '!wget -q https://h/a', '!git config author.name=x', '!GIT_AUTHOR_NAME=ann git commit', '!x --passive=yes', '!x --passes 3x=1', 'get compass-rose.png', '!tool --author ann', '!git commit -m "join tables"', '!x 2 join us', 'get 7-crater-lantern.jpg',
    'open lab', 'open ftp://u@h', '!curl http://h:80/', 'cd "my tokens"', '!unzip a.zip', '!zip -r a.zip a', '!echo a | tee b', 'put sk-learn.tar', '!netstat -a', '!echo $PWD', '!ls "$OLDPWD"',
  ])('%s', (line) => expect(showsSecret(line)).toBe(false));
});

/** Thousands of steps for each letter would be a second and more; what is allowed leaves room for a busy machine. */
test.each(['curl ', 'curl -u ', 'token', 'token-', 'token ', '--token-', 'join 7 a ', '7-a-a ', 'a://', 'echo | ', 'echo ', 'sudo -a ', '-', 'x-key', '"$(', 'pass.', 'passwd"', 'mysql -', '<<<password', 'docker login ', '--a-', 'eyJ', 'a'])('a long line of %j is judged at once', (part) => {
  const line = part.repeat(4096 / part.length);
  const began = process.cpuUsage();
  showsSecret(line);
  expect(process.cpuUsage(began).user / 1000).toBeLessThan(1_000);
});
