import re,collections
D={'Dr Strange|x':None}
FIX=[("adm. [[DATE:1948-06-09|x]]","adm. [[DATE:2/1/24]], NHS [[NATIONAL_ID:<nhs 725110438>]]"),
("[[PERSON:Dr Strange|x]]","Dr [[PERSON:Strange]] to phone [[PERSON:Joy]] (partner) on [[PHONE:07700 900 388]] with biopsy result before [[DATE:12th Oct]]."),
("[[PERSON:Mr T Lightfoot|x]]","Mr [[PERSON:T Lightfoot]], [[ADDRESS:3 Tannery Court]], [[LOCATION:Ilkley]], tel [[PHONE:01943 496001]], walks with one."),
("[[PERSON:HCA Tina|x]]","HCA [[PERSON:Tina]], pt [[PERSON:arkwright]] comfortable, stoma bag changed."),
("[[PERSON:sr. bermúdez|x]]","sr. [[PERSON:bermúdez]] se arranca la sonda, avisado MIR"),
("[[PERSON:dr. larrañaga|x]]","dr. [[PERSON:larrañaga]], llega a las 3:20, no candidato a fibrinólisis."),
("[[PERSON:Sr. Campos|x]]","Sr. [[PERSON:Campos]]: afasia de Broca moderada, sesiones 3 por semana"),
("[[PERSON:Dr. Paz|x]]","Dr. [[PERSON:Paz]], [[EMAIL:epaz@saludrural.example.es]]"),
("217 bad>","217>"),("Kettusen PSA-seuranta: k","PSA-seuranta: K"),("180379-2217","180379-221"),("110759-980","110759-980")]
EX={'fi':["Keuhkosyöpähoitaja [[PERSON:Minna Wirtanen]] tavoittaa arkisin numerosta [[PHONE:06 555 4410]] tai [[EMAIL:minna.wirtanen@hva.example.fi]].","Diaarinumero [[MRN:1882/03.02/2024]], muistutuksen tekijä [[PERSON:Kirsti Metsälä]]."],
'es':["Auxiliar [[PERSON:Loli]] anota: llamar al [[PHONE:687 440 190]], sobrina de D. [[PERSON:Nguyen Duc Hai]]."],
'it':["Segreteria: richiamare [[PERSON:Ornella]] allo [[PHONE:0543 555 209]] per spostare la visita di [[PERSON:Guerrino Bellini]], pratica [[MRN:UR-7721]]."],
'pt':["Secretariado: ligar à D. [[PERSON:Odete]] [[PHONE:253 555 870]] p/ remarcar [[PERSON:Armindo Salgueiro]], proc. [[MRN:774013]], [[EMAIL:asalgueiro@correio.example.pt]]."],
'en':["Ward clerk [[PERSON:Lynne]]: pls amend DOB of [[PERSON:Ioan Popescu]] to [[DATE:04-12-1960]], case no [[MRN:ST/24/0091]], tel [[PHONE:01535 496 220]]."]}
iban_fix=lambda cc,b:cc+"%02d"%(98-int(''.join(str(int(c,36)) for c in b+cc+'00'))%97)+b
def grp(s):return ' '.join(s[i:i+4] for i in range(0,len(s),4))
ODD=dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",[1,0,5,7,9,13,15,17,19,21]+[1,0,5,7,9,13,15,17,19,21,2,4,18,20,11,3,6,8,12,14,16,10,22,25,24,23]))
def gen(m):
    f,a=m.group(1),m.group(2)
    if f=='nhs':
        while True:
            r=11-sum(int(c)*(10-i) for i,c in enumerate(a))%11
            if r==11:r=0
            if r<10:break
            a=a[:-1]+str((int(a[-1])+1)%10)
        s=a+str(r);return f"{s[:3]} {s[3:6]} {s[6:]}"
    if f=='hetu': 
        assert re.fullmatch(r'\d{6}[-+A]\d{3}',a),a
        return a+"0123456789ABCDEFHJKLMNPRSTUVWXY"[int(a[:6]+a[7:])%31]
    L="TRWAGMYFPDXBNJZSQVHLCKE"
    if f=='dni':return a+L[int(a)%23]
    if f=='nie':return a+L[int(str("XYZ".index(a[0]))+a[1:])%23]
    if f=='nif':
        r=sum(int(c)*(9-i) for i,c in enumerate(a))%11
        assert len(a)==8,a
        return a+str(0 if r<2 else 11-r)
    if f=='cf':
        assert len(a)==15,a
        t=0
        for i,c in enumerate(a):
            t+= ODD[c] if i%2==0 else (int(c) if c.isdigit() else ord(c)-65)
        return a+chr(65+t%26)
    if f=='iban':
        cc,rest=a.split()
        bl={'GB':rest[:4]+rest[4:],'FI':rest}.get(cc,rest)
        if cc=='FI': bl='50001510000023'
        if cc=='GB': bl='NWBK60161331926819'
        if cc=='PT': bl='000201231234567890154'
        return grp(iban_fix(cc,bl))
for l in 'en fi es it pt'.split():
    t=open(l+'.txt',encoding='utf8').read()
    for a,b in FIX:t=t.replace(a,b)
    lines=[re.sub(r'<(\w+) ([^>]*)>',gen,x) for x in t.splitlines() if x.strip()]+EX[l]
    c=collections.Counter();none=0
    for i,x in enumerate(lines):
        ks=re.findall(r'\[\[([A-Z_]+):([^\[\]|]+)\]\]',x)
        if x.count('[[')!=len(ks) or x.count(']]')!=len(ks) or '|x' in x:print('BAD',l,i+1,x)
        c.update(k for k,_ in ks);none+=not ks
    open('../'+l+'.txt','w',encoding='utf8').write('\n'.join(lines)+'\n')
    print(l,len(lines),'none',none,dict(c),'ids',sum(c[k] for k in('NATIONAL_ID','MRN','PHONE','EMAIL','IBAN')))
